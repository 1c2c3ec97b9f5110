"""KY-05 over every store: the store with the server's secrets, or a cookie jar, and no tokens.

What is still to be revoked for people who have left is the exception: it lies in the store sealed
for whoever has the server's key (docs/decisions, errands). Nobody leaves in these tests.
"""

import hashlib
import hmac
from collections.abc import Iterator

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.contract.hands import Hands
from tests.doubles.browser import Browser
from tests.rig import Rig
from webapp.keyring import NONCE_BYTES, Key, Keyring
from webapp.store.labels import read_label
from webapp.store.sealing import Ticket
from webapp.store.vault import Session, Vault

NEAR = 700
"""Bytes around a record's place: whatever a store keeps beside it lies there."""


@pytest.fixture
def browser(rig: Rig) -> Browser:
    """A person with tokens, AWS keys and userInfo in the record."""
    browser = rig.signed_in("admin")
    assert browser.call("vip", "user").json()["status"] == 200
    assert browser.call("test-public", "guest").json()["status"] == 200
    browser.post("/session/userinfo", {"csrf_token": browser.csrf()})
    return browser


def _opened(rig: Rig, browser: Browser) -> Session:
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    return session


def _boxes(key: Key, candidate: bytes) -> Iterator[bytes]:
    """The AES keys that a thief would make of a few bytes and all that the server's key gives."""
    yield hmac.digest(key.records, candidate, "sha256")
    for part in (key.index, key.csrf, key.attempts):
        yield hmac.digest(part, candidate, "sha256")
    if len(candidate) == 32:
        yield candidate


def _opens(sealed: bytes, place: bytes, keys: Iterator[bytes]) -> bytes | None:
    nonce, secret = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    for key in keys:
        for bound_to in (sealed[:1] + place, place, b""):
            try:
                return AESGCM(key).decrypt(nonce, secret, bound_to)
            except InvalidTag:
                continue
    return None


def _candidates(dump: bytes, place: bytes, sealed: bytes) -> Iterator[bytes]:
    """What could be a ticket's secret: all that lies beside the record, in either length."""
    yield from (b"", bytes(16), bytes(32), place, place[:16], place[16:])
    yield from (hashlib.sha256(place).digest(), sealed[:16], sealed[1 : 1 + NONCE_BYTES])
    at = dump.find(place)
    while at >= 0:
        beside = dump[max(0, at - NEAR) : at + NEAR].replace(sealed, b"")
        for start in range(len(beside) - 32):
            yield beside[start : start + 16]
            yield beside[start : start + 32]
        at = dump.find(place, at + 1)


def test_KY_05_store_and_environment(rig: Rig, hands: Hands, browser: Browser) -> None:
    """Every byte of the store and every secret of the server together open no session."""
    session = _opened(rig, browser)
    dump, sealed = hands.dump(), hands.sealed(session.place)
    assert session.place in dump
    keys = [Key.of(secret) for secret in rig.settings.secret_keys]
    tried = 0
    for key in keys:
        for candidate in _candidates(dump, session.place, sealed):
            tried += 1
            assert _opens(sealed, session.place, _boxes(key, candidate)) is None
    assert tried > 1000
    for key in keys:  # the server's own keys, each as it is
        own = (part for part in (key.index, key.records, key.csrf, key.attempts))
        assert _opens(sealed, session.place, own) is None
    # The same hands open it at once with what lies in the browser alone.
    with_ticket = _opens(sealed, session.place, _boxes(keys[0], session.ticket.raw[17:]))
    assert with_ticket
    assert session.record.person
    assert session.record.person.subject.encode() in with_ticket


def test_KY_05_what_the_servers_key_does_show(rig: Rig, browser: Browser) -> None:
    """With the server's key a thief learns of a known person: since when, and in which browser."""
    person = _opened(rig, browser).record.person
    assert person
    (listed,) = rig.services.vault.listed(person)
    keys = tuple(Key.of(secret) for secret in rig.settings.secret_keys)
    label = read_label(listed.label, keys, listed.key)
    assert label
    assert abs(label.created_at - rig.clock()) < 60
    assert len(listed.label) < 100  # too short for anything more
    stranger = (Key.of(b"another key of thirty-two bytes.."),)
    assert read_label(listed.label, stranger, listed.key) is None


def test_KY_05_cookie_jar_alone(rig: Rig, hands: Hands, browser: Browser) -> None:
    """The cookies of a browser hold no token, and find nothing in a store without the server."""
    browser.start("/session")  # a sign-in under way, in the other cookie
    jar = {name: browser.cookies[name] for name in ("portico", "portico-signin")}
    ticket = Ticket.parse(jar["portico"])
    assert ticket
    session, dump = _opened(rig, browser), hands.dump()
    sealed = hands.sealed(session.place)
    tokens = session.record.tokens
    assert tokens
    for text in (tokens.id_token, tokens.access_token, str(tokens.refresh_token)):
        assert text[-30:] not in "".join(jar.values())
    # Neither the ticket nor any hash that it gives by itself says where the record lies.
    known = (ticket.raw, ticket.raw[1:17], ticket.raw[17:])
    for part in known:
        for name in ("sha256", "sha1", "md5", "sha512"):
            assert hashlib.new(name, part).digest()[:16] not in dump
        assert part not in dump
    # Nor does it open the record where a thief has that as well.
    for guessed in (*known, b"", bytes(32), jar["portico"].encode()):
        made_up = Key.of(guessed)
        boxes = (box for part in known for box in _boxes(made_up, part))
        assert _opens(sealed, session.place, boxes) is None
        assert Keyring([guessed]).open_cookie(jar["portico-signin"].encode(), b"attempts/1") is None


def test_KY_05_jar_and_store_without_the_servers_key(
    rig: Rig, hands: Hands, browser: Browser
) -> None:
    """A stolen jar at a copy of the store, under any other key, is nobody's."""
    cookie = browser.cookies["portico"]
    thief = Vault(
        hands.open(rig.clock),
        Keyring([b"a guess at the key of this server"]),
        idle=1800,
        absolute=43_200,
        now=rig.clock,
    )
    assert thief.open(cookie) is None
    mark = _opened(rig, browser).ticket.mark
    for number in range(2000):  # and under one with the same mark
        ring = Keyring([b"a guess at the key of this server %d" % number])
        if ring.writing.mark == mark:
            break
    vault = Vault(hands.open(rig.clock), ring, idle=1800, absolute=43_200, now=rig.clock)
    assert ring.marked(mark)
    assert vault.open(cookie) is None
    assert browser.me()["signed_in"] is True
