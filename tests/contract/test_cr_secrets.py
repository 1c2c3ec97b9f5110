"""CR-13 and CR-14 on every store: AWS keys are nowhere to be seen, and gone after the sign-out."""

from pathlib import Path

from tests.contract.hands import Hands
from tests.doubles.browser import Browser
from tests.doubles.vault import IssuedKeys
from tests.rig import Rig
from webapp.store.vault import Session

EXPIRED = {"message": "The security token included in the request is expired"}


def _walk(rig: Rig) -> tuple[Browser, Browser]:
    """A person and a guest who see every page that has to do with keys, and every trouble."""
    person, guest = rig.signed_in("admin"), rig.browser()
    for browser, identities in ((person, ("user", "guest")), (guest, ("guest",))):
        for identity in identities:
            for json in (True, False):
                for endpoint in ("test-public", "vip", "whoami", "secure"):
                    browser.call(endpoint, identity, json=json)
        for page in ("/", "/api", "/me", "/session", "/credentials", "/sessions"):
            browser.get(page)
    rig.cognito.api["secure"].once.answer(403, EXPIRED)  # fetched anew, and the old ones dropped
    person.call("secure", "user", json=False)
    for status in (403, 500, 502):
        rig.cognito.api["secure"].once.answer(status, {"message": "no"})
        person.call("secure", "user", json=False)
    rig.cognito.api["secure"].once.reset()
    person.call("secure", "user", json=False)
    rig.cognito.pool.get_credentials.once.aws_error("NotAuthorizedException", "no")
    form = {"csrf_token": person.csrf(), "role": rig.cognito.user("admin").roles[0]}
    person.post("/credentials/role", form)
    person.post("/credentials/name", {"csrf_token": form["csrf_token"]})
    return person, guest


def _secrets(keys: IssuedKeys) -> list[str]:
    """What of a set of keys is a secret, whole and by its beginning and end."""
    token = keys.session_token
    return [keys.secret_key, token[:60], token[-60:], token[200:260]]


def _opened(rig: Rig, browser: Browser) -> Session:
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    return session


def test_CR_13_keys_are_nowhere_to_be_seen(rig: Rig, hands: Hands, tmp_path: Path) -> None:
    """No page, header, cookie, log line or byte of the store shows a secret of anybody's keys."""
    person, guest = _walk(rig)
    issued = rig.cognito.vault.issued
    assert len(issued) >= 4
    assert {keys.sub is None for keys in issued} == {True, False}
    held = [_opened(rig, browser).record for browser in (person, guest)]
    assert held[0].user_keys
    assert held[0].guest_keys
    assert held[1].guest_keys  # there is something to find, where it belongs
    dump = hands.dump()
    assert _opened(rig, person).place in dump
    beside = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())
    shown = "".join(
        one.text + repr(one.headers) for browser in (person, guest) for one in browser.responses
    )
    assert "signed request" in shown.lower()
    for keys in issued:
        for secret in _secrets(keys):
            assert secret not in shown
            assert secret not in rig.log
            assert secret.encode() not in dump
            assert secret.encode() not in beside
        # The id of the keys is no secret, and says in the answer who signed; nobody else needs it.
        assert keys.access_key not in rig.log
        assert keys.access_key.encode() not in dump + beside


def test_CR_14_wiped_at_sign_out_on_every_store(rig: Rig, hands: Hands) -> None:
    """After the sign-out the sealed record, which held the keys, is gone, and its ticket is too."""
    browser = rig.signed_in("admin")
    browser.call("vip", "user")
    browser.call("test-public", "guest")
    session = _opened(rig, browser)
    assert session.record.user_keys
    assert session.record.guest_keys
    sealed = hands.sealed(session.place)[-200:]
    assert sealed[-100:] in hands.dump()
    thief = browser.twin()
    assert browser.sign_out().status == 303
    left = hands.dump()
    # SQLite writes over the room that a record had when it needs it; sealed it is there as well.
    if hands.kind != "sqlite":
        assert sealed not in left
    assert rig.services.store.load(session.place, now=rig.clock()) is None
    assert thief.me()["signed_in"] is False
    calls = len(rig.cognito.api.calls)
    assert thief.call("vip", "user").status in (401, 403)
    assert len(rig.cognito.api.calls) == calls
    for keys in rig.cognito.vault.issued:
        for secret in (keys.access_key, *_secrets(keys)):
            assert secret.encode() not in left
