"""The token verifier alone: what it takes, what it refuses and how it names the reason."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from tests.doubles.clock import Clock
from tests.doubles.keys import compact, signing_key
from tests.doubles.mint import at_hash
from webapp.errors import ProviderUnavailable
from webapp.managed_login.keys import SigningKeys, UnknownKey
from webapp.managed_login.tokens import (
    LATEST_SECONDS,
    LEEWAY_SECONDS,
    MAX_GROUPS,
    TokenRefused,
    TokenVerifier,
    person_of,
    read_claims,
)

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Portico01"
CLIENT = "portico0client0id000000000"
NOW = 1_800_000_000
KEY = signing_key("unit")
Claims = dict[str, Any]


@dataclass
class Keys(SigningKeys):
    """One known key; `down` is what asking for keys raises instead."""

    down: Exception | None = None
    asked: list[str | None] = field(default_factory=list)

    def get(self, kid: str | None) -> RSAKey:
        """The key of this id."""
        self.asked.append(kid)
        if self.down is not None:
            raise self.down
        if kid not in (None, KEY.kid):
            raise UnknownKey("no such key")
        return _PUBLIC


_PUBLIC = RSAKey.import_key({name: KEY.jwk()[name] for name in ("kty", "n", "e")})


@pytest.fixture
def keys() -> Keys:
    """The pool's keys."""
    return Keys()


@pytest.fixture
def verifier(keys: Keys) -> TokenVerifier:
    """A verifier at a clock that stands still."""
    return TokenVerifier(keys, ISSUER, CLIENT, Clock(NOW))


def _claims(**changes: object) -> Claims:
    return {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "s",
        "token_use": "id",
        "nonce": "n",
        "iat": NOW,
        "exp": NOW + 3600,
    } | changes


def _token(header: Claims | None = None, /, **changes: object) -> str:
    head = {"kid": KEY.kid, "alg": "RS256"} | (header or {})
    return compact(head, json.dumps(_claims(**changes)).encode(), KEY)


def _access(**changes: object) -> str:
    claims = _claims(token_use="access", client_id=CLIENT, scope="openid") | changes
    del claims["aud"], claims["nonce"]
    return compact({"kid": KEY.kid, "alg": "RS256"}, json.dumps(claims).encode(), KEY)


def test_good_tokens(verifier: TokenVerifier) -> None:
    """The claims of a good ID token and of a good access token come out."""
    access = _access()
    token = _token(at_hash=at_hash(access), azp=CLIENT, email="a@b")
    assert verifier.id_token(token, access_token=access, nonce="n")["email"] == "a@b"
    assert verifier.access_token(access, subject="s")["scope"] == "openid"
    assert read_claims(token) == _claims(at_hash=at_hash(access), azp=CLIENT, email="a@b")


def test_refreshed_id_token_needs_no_nonce(verifier: TokenVerifier) -> None:
    """Where no nonce is expected, none is looked at, and the token may be older."""
    claims = _claims(iat=NOW - 3000)
    del claims["nonce"]
    token = compact({"kid": KEY.kid, "alg": "RS256"}, json.dumps(claims).encode(), KEY)
    assert verifier.id_token(token) == claims
    with pytest.raises(TokenRefused):
        verifier.id_token(token, nonce="n")


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"exp": NOW - LEEWAY_SECONDS + 1}, None),
        ({"exp": NOW - LEEWAY_SECONDS}, "exp"),
        ({"iat": NOW + LEEWAY_SECONDS}, None),
        ({"iat": NOW + LEEWAY_SECONDS + 1}, "iat"),
        ({"iat": NOW - LATEST_SECONDS}, None),
        ({"iat": NOW - LATEST_SECONDS - 1}, "iat"),
        ({"nbf": NOW + LEEWAY_SECONDS}, None),
        ({"nbf": NOW + LEEWAY_SECONDS + 1}, "nbf"),
        ({"sub": "s" * 255}, None),
        ({"sub": "s" * 256}, "sub"),
    ],
    ids=repr,
)
def test_limits(verifier: TokenVerifier, changes: Claims, check: str | None) -> None:
    """Each limit holds to the second and to the character."""
    token = _token(**changes)
    if check is None:
        assert verifier.id_token(token, nonce="n")
        return
    with pytest.raises(TokenRefused) as caught:
        verifier.id_token(token, nonce="n")
    assert caught.value.check == check


def test_skew_is_told(verifier: TokenVerifier) -> None:
    """A refusal for its time says by how many seconds the other clock is off."""
    for seconds in (600, -600):
        with pytest.raises(TokenRefused) as caught:
            verifier.id_token(_token(iat=NOW + seconds), nonce="n")
        assert caught.value.facts == {"skew_seconds": seconds}


def test_a_refusal_repeats_nothing(verifier: TokenVerifier) -> None:
    """The text of a refusal names the check and nothing of the token."""
    with pytest.raises(TokenRefused) as caught:
        verifier.id_token(_token(iss="https://evil.example/very-secret"), nonce="n")
    assert str(caught.value) == "token refused: iss"


@pytest.mark.parametrize("token", [None, 7, b"bytes", "", [], {}, "a" * 20_000], ids=type)
def test_no_token_at_all(verifier: TokenVerifier, keys: Keys, token: object) -> None:
    """What is no text of a sensible size is refused before anything is looked at."""
    for judge in (verifier.id_token, lambda one: verifier.access_token(one, subject="s")):
        with pytest.raises(TokenRefused, match="size"):
            judge(token)
    assert keys.asked == []


def test_keys_are_not_asked_for_what_is_refused_before(verifier: TokenVerifier, keys: Keys) -> None:
    """A token of another algorithm, or with a header of surprises, costs no look at the keys."""
    for header in ({"alg": "none"}, {"alg": "HS256"}, {"jku": "http://evil"}, {"kid": 7}):
        with pytest.raises(TokenRefused):
            verifier.id_token(_token(header), nonce="n")
    assert keys.asked == []


def test_keys_out_of_reach(verifier: TokenVerifier, keys: Keys) -> None:
    """Without keys nothing is decided: neither believed nor refused."""
    keys.down = ProviderUnavailable("The keys cannot be had.")
    with pytest.raises(ProviderUnavailable):
        verifier.id_token(_token(), nonce="n")


def test_unknown_key(verifier: TokenVerifier, keys: Keys) -> None:
    """A key id that the pool does not have is a refusal."""
    with pytest.raises(TokenRefused, match="kid"):
        verifier.id_token(_token({"kid": "other"}), nonce="n")
    assert keys.asked == ["other"]


def test_at_hash_counts_only_beside_an_access_token(verifier: TokenVerifier) -> None:
    """The hash binds the two tokens; alone it binds nothing."""
    token = _token(at_hash="wrong")
    assert verifier.id_token(token, nonce="n")
    with pytest.raises(TokenRefused, match="at_hash"):
        verifier.id_token(token, access_token=_access(), nonce="n")


def test_person() -> None:
    """Names fall back to the subject, lists are capped, foreign types are passed over."""
    plain = person_of({"iss": ISSUER, "sub": "s"})
    assert (plain.username, plain.email, plain.groups, plain.preferred_role) == (
        "s",
        None,
        (),
        None,
    )
    many = [f"g{n}" for n in range(MAX_GROUPS + 9)]
    odd = person_of(
        {
            "iss": ISSUER,
            "sub": "s",
            "cognito:username": "",
            "email": ["a@b"],
            "name": "n" * 9999,
            "cognito:groups": [7, *many, None, "g" * 999],
            "cognito:roles": "arn:aws:iam::1:role/admin",
            "cognito:preferred_role": {"a": 1},
        }
    )
    assert (odd.username, odd.email, odd.roles, odd.preferred_role) == ("s", None, (), None)
    assert len(odd.name or "") == 512
    assert odd.groups == tuple(many[: MAX_GROUPS - 1])
