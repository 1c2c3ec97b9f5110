"""The claims of the tokens in plain words, and what was checked before they were believed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from webapp.records import Claims
from webapp.views.body import shown as marked
from webapp.words import Saying, say

LONGEST_VALUE = 1000

MEANINGS = {
    "iss": say("Issuer: the user pool that made the token."),
    "sub": say("Subject: the person's lasting id in this pool."),
    "aud": say("Audience: the app client that the token is for."),
    "client_id": say("The app client that the access token was given to."),
    "exp": say("Ends at this time."),
    "iat": say("Made at this time."),
    "nbf": say("Not valid before this time."),
    "auth_time": say("The person proved who they are at this time."),
    "jti": say("This token's own id."),
    "origin_jti": say("The id of the sign-in that the token descends from."),
    "event_id": say("Cognito's id of the sign-in event."),
    "nonce": say("Ties the token to the browser that asked for it."),
    "at_hash": say("Ties the ID token to the access token beside it."),
    "azp": say("The party that the token was given to."),
    "token_use": say("What the token is for: id or access."),
    "scope": say("What the access token may be used for."),
    "version": say("The version of the access token's form."),
    "email": say("The e-mail address in the pool."),
    "email_verified": say("Whether the address was proved."),
    "name": say("The full name in the pool."),
    "given_name": say("The given name in the pool."),
    "family_name": say("The family name in the pool."),
    "username": say("The user name in the pool."),
    "cognito:username": say("The user name in the pool."),
    "cognito:groups": say("The groups that the person is in."),
    "cognito:roles": say("The IAM roles of those groups."),
    "cognito:preferred_role": say(
        "The role of the group with the lowest precedence; none on a tie."
    ),
    "cognito:mfa_enabled": say("Whether a second factor is set up."),
    "identities": say("The external identity provider that vouches for the person."),
    "permissions": say("What the groups allow, added by this pool's pre token trigger."),
    "device_key": say("The device that the pool remembers."),
    "preferred_username": say("The name that the person wants to be called by."),
    "nickname": say("The nickname in the pool."),
    "middle_name": say("The middle name in the pool."),
    "phone_number": say("The phone number in the pool."),
    "phone_number_verified": say("Whether the phone number was proved."),
    "address": say("The postal address in the pool."),
    "birthdate": say("The date of birth in the pool."),
    "gender": say("The gender in the pool."),
    "locale": say("The language and region in the pool."),
    "zoneinfo": say("The time zone in the pool."),
    "picture": say("The address of a picture; shown as text only."),
    "profile": say("The address of a profile; shown as text only."),
    "website": say("The address of a website; shown as text only."),
    "updated_at": say("The pool's entry was changed at this time."),
}
CUSTOM = say("An attribute that this pool added to those of OpenID Connect.")
FROM_COGNITO = say("Something that Cognito itself adds.")
UNKNOWN = say("Neither OpenID Connect nor Cognito gives it a meaning; ask whoever runs the pool.")
TIMES = {"exp", "iat", "nbf", "auth_time", "updated_at"}
PASSED = say("passed")
LAST_TIME = 1e11  # the year 5138; beyond it a number is shown as a number


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim in the three places where it may stand."""

    name: str
    meaning: Saying
    id_token: str | None
    access_token: str | None
    userinfo: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified before the token was believed."""

    name: str
    value: str
    verdict: Saying
    why: Saying


def meaning_of(name: str) -> Saying:
    """What a claim says, in plain words."""
    if name.startswith("custom:"):
        return CUSTOM
    return MEANINGS.get(name, FROM_COGNITO if name.startswith("cognito:") else UNKNOWN)


def claim_rows(id_token: Claims, access_token: Claims, userinfo: Claims | None) -> list[ClaimRow]:
    """All claims side by side, those with a known meaning first."""
    known = list(MEANINGS)
    names = sorted(
        {*id_token, *access_token, *(userinfo or {})},
        key=lambda name: (known.index(name) if name in MEANINGS else len(known), name),
    )
    return [
        ClaimRow(
            name=marked(name[:120]),
            meaning=meaning_of(name),
            id_token=shown(name, id_token),
            access_token=shown(name, access_token),
            userinfo=shown(name, userinfo or {}),
        )
        for name in names[:200]
    ]


def checks(id_token: Claims, access_token: Claims, *, refreshed: bool) -> list[Check]:
    """What the verifier looked at, with the value that passed."""
    return [
        Check(
            say("Signature"), "RS256", PASSED, say("Made with a key from the pool's published set.")
        ),
        _check("iss", id_token, say("It is exactly the configured issuer, for both tokens.")),
        _check("aud", id_token, say("The ID token is for this app client alone.")),
        _check("client_id", access_token, say("The access token was given to this app client.")),
        _check("token_use", id_token, say("An ID token in its place, an access token in its own.")),
        _check("exp", id_token, say("Neither token had ended.")),
        _check("iat", id_token, say("Neither token comes from the future.")),
        _check("nbf", id_token, say("If present, the time has come.")),
        _nonce(id_token, refreshed),
        _check(
            "at_hash", id_token, say("If present, it is the hash of the access token beside it.")
        ),
        _check("azp", id_token, say("If present, it names this app client.")),
        _check("sub", access_token, say("Both tokens speak of the same person.")),
    ]


def _nonce(id_token: Claims, refreshed: bool) -> Check:
    why = say("The same random value that this browser's sign-in sent out.")
    if refreshed and "nonce" not in id_token:
        return Check("nonce", say("checked at the sign-in; a refresh brings none"), PASSED, why)
    return _check("nonce", id_token, why)


def _check(name: str, claims: Claims, why: Saying) -> Check:
    value = shown(name, claims)
    if value is None:
        return Check(name, say("not in the token"), say("not applicable"), why)
    return Check(name, value, PASSED, why)


def shown(name: str, claims: Claims) -> str | None:
    """A claim's value for people, None when it is not there."""
    if name not in claims:
        return None
    value = claims[name]
    if name == "nonce":  # spent, but a secret of the sign-in: its beginning tells enough
        value = f"{value[:4]}…" if isinstance(value, str) else ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in TIMES and number and 0 <= value < LAST_TIME:
        return f"{value:.0f} ({datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    told = marked(text[:LONGEST_VALUE])
    return told if len(text) <= LONGEST_VALUE else told + "… (cut)"
