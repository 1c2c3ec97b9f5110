"""The claims of the tokens in plain words, and what was checked before they were believed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from webapp.records import Claims

LONGEST_VALUE = 1000

MEANINGS = {
    "iss": "Issuer: the user pool that made the token.",
    "sub": "Subject: the person's lasting id in this pool.",
    "aud": "Audience: the app client that the token is for.",
    "client_id": "The app client that the access token was given to.",
    "exp": "Ends at this time.",
    "iat": "Made at this time.",
    "nbf": "Not valid before this time.",
    "auth_time": "The person proved who they are at this time.",
    "jti": "This token's own id.",
    "origin_jti": "The id of the sign-in that the token descends from.",
    "event_id": "Cognito's id of the sign-in event.",
    "nonce": "Ties the token to the browser that asked for it.",
    "at_hash": "Ties the ID token to the access token beside it.",
    "azp": "The party that the token was given to.",
    "token_use": "What the token is for: id or access.",
    "scope": "What the access token may be used for.",
    "version": "The version of the access token's form.",
    "email": "The e-mail address in the pool.",
    "email_verified": "Whether the address was proved.",
    "name": "The full name in the pool.",
    "given_name": "The given name in the pool.",
    "family_name": "The family name in the pool.",
    "username": "The user name in the pool.",
    "cognito:username": "The user name in the pool.",
    "cognito:groups": "The groups that the person is in.",
    "cognito:roles": "The IAM roles of those groups.",
    "cognito:preferred_role": "The role of the group with the lowest precedence; none on a tie.",
    "identities": "The external identity provider that vouches for the person.",
}
TIMES = {"exp", "iat", "nbf", "auth_time"}
LAST_TIME = 1e11  # the year 5138; beyond it a number is shown as a number


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim in the three places where it may stand."""

    name: str
    meaning: str
    id_token: str | None
    access_token: str | None
    userinfo: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified before the token was believed."""

    name: str
    value: str
    verdict: str
    why: str


def claim_rows(id_token: Claims, access_token: Claims, userinfo: Claims | None) -> list[ClaimRow]:
    """All claims side by side, those with a known meaning first."""
    known = list(MEANINGS)
    names = sorted(
        {*id_token, *access_token, *(userinfo or {})},
        key=lambda name: (known.index(name) if name in MEANINGS else len(known), name),
    )
    return [
        ClaimRow(
            name=name[:120],
            meaning=MEANINGS.get(name, "An attribute of this pool."),
            id_token=_shown(name, id_token),
            access_token=_shown(name, access_token),
            userinfo=_shown(name, userinfo or {}),
        )
        for name in names[:200]
    ]


def checks(id_token: Claims, access_token: Claims, *, refreshed: bool) -> list[Check]:
    """What the verifier looked at, with the value that passed."""
    return [
        Check("Signature", "RS256", "passed", "Made with a key from the pool's published set."),
        _check("iss", id_token, "It is exactly the configured issuer, for both tokens."),
        _check("aud", id_token, "The ID token is for this app client alone."),
        _check("client_id", access_token, "The access token was given to this app client."),
        _check("token_use", id_token, "An ID token in its place, an access token in its own."),
        _check("exp", id_token, "Neither token had ended."),
        _check("iat", id_token, "Neither token comes from the future."),
        _check("nbf", id_token, "If present, the time has come."),
        _nonce(id_token, refreshed),
        _check("at_hash", id_token, "If present, it is the hash of the access token beside it."),
        _check("azp", id_token, "If present, it names this app client."),
        _check("sub", access_token, "Both tokens speak of the same person."),
    ]


def _nonce(id_token: Claims, refreshed: bool) -> Check:
    why = "The same random value that this browser's sign-in sent out."
    if refreshed and "nonce" not in id_token:
        return Check("nonce", "checked at the sign-in; a refresh brings none", "passed", why)
    return _check("nonce", id_token, why)


def _check(name: str, claims: Claims, why: str) -> Check:
    value = _shown(name, claims)
    if value is None:
        return Check(name, "not in the token", "not applicable", why)
    return Check(name, value, "passed", why)


def _shown(name: str, claims: Claims) -> str | None:
    if name not in claims:
        return None
    value = claims[name]
    if name == "nonce":  # spent, but a secret of the sign-in: its beginning tells enough
        value = f"{value[:4]}…" if isinstance(value, str) else ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in TIMES and number and 0 <= value < LAST_TIME:
        return f"{value:.0f} ({datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "… (cut)"
