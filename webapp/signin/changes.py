"""What a refresh changed in the ID token: the names of the claims, and what they said before."""

import json

from webapp.managed_login.tokens import read_claims

MOST = 40
LONGEST = 64
ABSENT = ""


def changes(before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the claims in which two ID tokens differ, and the values of the older one.

    A value is JSON, cut where it is long; ABSENT for a claim that was not there. Of a nonce nothing
    is kept: it was a secret of the sign-in.
    """
    old, new = read_claims(before), read_claims(after)
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))[:MOST]
    return tuple(names), tuple(_kept(name, old) for name in names)


def _kept(name: str, claims: dict[str, object]) -> str:
    if name not in claims or name == "nonce":
        return ABSENT
    text = json.dumps(claims[name], ensure_ascii=False)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
