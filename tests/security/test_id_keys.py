"""ID-12, ID-13, ID-14, ID-15: key sets that are old, malformed, turned or asked for too often."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.browser import Browser
from tests.doubles.keys import Json, SigningKey, b64url, number_b64, signing_key
from tests.doubles.mint import Draft
from tests.rig import Rig
from tests.security.fleet import fleet_of
from tests.security.outcomes import Watch, is_anonymous
from webapp.managed_login.keys import (
    AGED_RETRY_SECONDS,
    CAP,
    FRESH_SECONDS,
    LONGEST_SECONDS,
    MAX_KEYS,
    _usable,
)

HOSTILE = "hostile"
CROWD = 50


def _arrives(rig: Rig, user: str = "viewer") -> int:
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user(user))
    return browser.finish(callback).status


def test_ID_12_old_keys_serve_until_their_limit(rig: Rig) -> None:
    """Without a key set people sign in by the keys that are held, for a day and no longer."""
    assert _arrives(rig) == 303
    jwks = rig.cognito.issuer.jwks
    jwks.answer(503)
    rig.clock.advance(FRESH_SECONDS - 60)
    assert _arrives(rig) == 303
    assert jwks.count == 1
    rig.clock.advance(120)
    for _ in range(5):
        assert _arrives(rig) == 303
    assert jwks.count == 2  # asked again, and after a pause only
    rig.clock.advance(LONGEST_SECONDS - FRESH_SECONDS - 120)
    assert _arrives(rig) == 303
    rig.clock.advance(120)
    browser = rig.browser()
    callback = rig.cognito.issuer.approve(browser.start(), rig.cognito.user("viewer"))
    watch = Watch(rig)
    watch.busy(browser.finish(callback), token_requests=1)
    assert is_anonymous(rig, browser)
    rig.cognito.heal()
    rig.clock.advance(5)
    assert _arrives(rig) == 303


@pytest.mark.slow
def test_ID_12_nobody_waits_for_newer_keys(rig: Rig) -> None:
    """A key set that hangs costs one sign-in its deadline, and the others nothing."""
    assert _arrives(rig) == 303
    rig.clock.advance(FRESH_SECONDS + 1)
    rig.cognito.issuer.jwks.hang()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_arrives, rig)
        rig.cognito.issuer.jwks.wait_for(2)
        began = time.monotonic()
        assert [_arrives(rig) for _ in range(3)] == [303] * 3
        assert time.monotonic() - began < 4
        assert not first.done()
        assert rig.cognito.issuer.jwks.count == 2
        rig.cognito.issuer.jwks.release()
        assert first.result(20) == 303


def _hostile_key() -> SigningKey:
    return SigningKey(HOSTILE, signing_key("an attacker's").private)


def _signed_by(key: SigningKey) -> Callable[[Draft], str]:
    def write(draft: Draft) -> str:
        draft.header["kid"], draft.key = key.kid, key
        return draft.signed()

    return write


def _private() -> Json:
    key = _hostile_key()
    numbers = key.private.private_numbers()
    return key.jwk() | {"d": number_b64(numbers.d), "p": number_b64(numbers.p)}


def _without_proof(**changes: object) -> Json:
    """The attacker's public key, spoilt."""
    return {**_hostile_key().jwk(), **changes}


def _modulus(bits: int) -> str:
    return number_b64((1 << (bits - 1)) | random.Random(bits).getrandbits(bits - 1) | 1)


BAD_KEYS: dict[str, Callable[[], Any]] = {
    "private": _private,
    "symmetric": lambda: {"kty": "oct", "kid": HOSTILE, "k": b64url(b"s" * 64), "alg": "RS256"},
    "symmetric-as-rsa": lambda: _without_proof(kty="oct", k=b64url(b"s" * 64)),
    "rsa-512": lambda: _without_proof(n=_modulus(512)),
    "rsa-1024": lambda: _without_proof(n=_modulus(1024)),
    "rsa-16384": lambda: _without_proof(n=_modulus(16_384)),
    "e-1": lambda: _without_proof(e=number_b64(1)),
    "e-2": lambda: _without_proof(e=number_b64(2)),
    "e-3": lambda: _without_proof(e=number_b64(3)),
    "e-even": lambda: _without_proof(e=number_b64(65_538)),
    "e-huge": lambda: _without_proof(e=_modulus(2_000)),
    "e-0": lambda: _without_proof(e=""),
    "n-0": lambda: _without_proof(n="AA"),
    "n-even": lambda: _without_proof(n=number_b64(1 << 2047)),
    "n-number": lambda: _without_proof(n=65_537),
    "n-list": lambda: _without_proof(n=["AQAB"]),
    "n-no-base64": lambda: _without_proof(n="\u00e9!*"),
    "for-encryption": lambda: _without_proof(use="enc"),
    "use-list": lambda: _without_proof(use=["sig"]),
    "rs512": lambda: _without_proof(alg="RS512"),
    "ps256": lambda: _without_proof(alg="PS256"),
    "none": lambda: _without_proof(alg="none"),
    "kid-number": lambda: _without_proof(kid=7),
    "kid-object": lambda: _without_proof(kid={"a": 1}),
    "elliptic": lambda: {"kty": "EC", "crv": "P-256", "kid": HOSTILE, "x": "AA", "y": "AA"},
    "kty-list": lambda: _without_proof(kty=["RSA"]),
    "empty": dict,
    "null": lambda: None,
    "text": lambda: "RSA",
    "list": list,
    "deep": lambda: _without_proof(x5c=[[[[["AQAB"]]]]], n=None),
}


@pytest.mark.parametrize("first", [True, False], ids=["before", "behind"])
def test_ID_13_bad_keys_are_skipped(rig: Rig, first: bool) -> None:
    """A bad key beside good ones verifies nothing, whatever signs with it; the good ones serve."""
    issuer = rig.cognito.issuer
    good = issuer.pool.key_set()["keys"]
    for name, make in BAD_KEYS.items():
        keys = [make(), *good] if first else [*good, make()]
        issuer.jwks.answer(200, {"keys": keys})
        rig.clock.advance(FRESH_SECONDS + 1)  # a new fetch
        fetched = issuer.jwks.count
        assert _arrives(rig) == 303, name
        assert issuer.jwks.count == fetched + 1
        issuer.mint.id_token.write(_signed_by(_hostile_key()), times=1)
        forger, watch = rig.browser(), Watch(rig)
        callback = issuer.approve(forger.start(), rig.cognito.user("admin"))
        assert watch.denied(forger.finish(callback), token_requests=1) == "token_refused", name
        assert watch.events("refused")[0]["check"] == "kid", name
    assert '"unforeseen"' not in rig.log


def test_ID_13_two_keys_of_one_id(rig: Rig) -> None:
    """Of two keys under one id neither is believed, in any order; the same key twice is one."""
    issuer = rig.cognito.issuer
    honest = issuer.pool.key_set()["keys"]
    twin = {**_hostile_key().jwk(), "kid": honest[0]["kid"]}
    for keys in ([twin, *honest], [*honest, twin], [*honest, twin, *honest], [twin, *honest, twin]):
        issuer.jwks.answer(200, {"keys": keys})
        rig.clock.advance(FRESH_SECONDS + 1)
        assert _arrives(rig) == 400
        impostor = SigningKey(honest[0]["kid"], _hostile_key().private)
        issuer.mint.id_token.write(_signed_by(impostor), times=1)
        assert _arrives(rig, "admin") == 400
    issuer.jwks.answer(200, {"keys": [*honest, *honest]})
    rig.clock.advance(FRESH_SECONDS + 1)
    assert _arrives(rig) == 303


SPOILT: dict[str, Callable[[list[Json]], object]] = {
    "no-keys": lambda keys: {},
    "null": lambda keys: {"keys": None},
    "object": lambda keys: {"keys": {key["kid"]: key for key in keys}},
    "none-usable": lambda keys: {"keys": [make() for make in BAD_KEYS.values()]},
    "empty": lambda keys: {"keys": []},
    "list": lambda keys: keys,
    "too-large": lambda keys: {"keys": keys, "padding": "x" * CAP},
    "good-keys-too-late": lambda keys: {"keys": [{}] * MAX_KEYS + keys},
}


def test_ID_13_spoilt_sets(rig: Rig) -> None:
    """A set of another shape, or larger than any, is an outage: the keys held before serve on."""
    assert _arrives(rig) == 303
    issuer = rig.cognito.issuer
    good = issuer.pool.key_set()["keys"]
    for name, spoil in SPOILT.items():
        issuer.jwks.answer(200, spoil(good))
        rig.clock.advance(max(FRESH_SECONDS, AGED_RETRY_SECONDS) + 1)
        asked = issuer.jwks.count
        assert _arrives(rig) == 303, name
        assert issuer.jwks.count == asked + 1, name
    assert '"unforeseen"' not in rig.log


def test_ID_13_mutated_sets(rig: Rig) -> None:
    """Two thousand key sets mutated by dice are read without a fault, each within its bounds."""
    dice = random.Random(20_261_120)
    odd: tuple[Any, ...] = (
        None,
        "",
        0,
        -1,
        1.5,
        True,
        [],
        {},
        ["a"],
        "\ud83d\ude00",
        "A" * 3000,
        "AQAB",
        "RSA",
    )
    for _ in range(2000):
        entries = [dict(key) for key in rig.cognito.issuer.pool.key_set()["keys"]]
        for entry in entries:
            for _ in range(dice.randrange(3)):
                entry[dice.choice([*entry, "d", "x5c", "key_ops", "k"])] = dice.choice(odd)
        found = _usable(entries)
        assert len(found) <= len(entries)
        for key in found.values():
            numbers = key.public_key.public_numbers()
            assert numbers.n.bit_length() >= 2048
            assert numbers.e >= 65_537


def test_ID_14_fifty_sign_ins_over_a_rotation(tmp_path: Path) -> None:
    """Fifty sign-ins that meet new keys at one moment succeed, at one fetch for each process."""
    with fleet_of(tmp_path, hosts=1, threads=16, SESSION_MAX_PER_PERSON="100") as fleet:
        for _ in range(8):  # both workers have the old keys
            fleet.signed_in("admin")
        issuer = fleet.cognito.issuer
        browsers = [fleet.browser() for _ in range(CROWD)]
        viewer = fleet.cognito.user("viewer")
        callbacks = [issuer.approve(browser.start(), viewer) for browser in browsers]
        asked = issuer.jwks.count
        assert asked <= 2
        issuer.pool.rotate_keys()
        with ThreadPoolExecutor(CROWD) as pool:
            landed = list(pool.map(Browser.finish, browsers, callbacks))
        assert [one.status for one in landed] == [303] * CROWD
        assert 1 <= issuer.jwks.count - asked <= 2
        assert all(browser.me()["email"] == "viewer@example.com" for browser in browsers[:5])


def test_ID_15_storm_while_the_key_set_is_away(rig: Rig) -> None:
    """Forged keys ask for the set no more often when it is old and cannot be had."""
    assert _arrives(rig) == 303
    issuer = rig.cognito.issuer
    issuer.jwks.answer(503)
    rig.clock.advance(FRESH_SECONDS + 1)
    asked = issuer.jwks.count
    issuer.mint.id_token(lambda header, _: header.update(kid="made-up"))
    for _ in range(30):
        assert _arrives(rig) == 400
        rig.clock.advance(1)
    # One because the set is old, one because a key is unknown; for either, none sooner again.
    assert issuer.jwks.count - asked <= 2
