"""What differs: between the places where claims stand, and between before and after a refresh."""

import json
from dataclasses import dataclass

from webapp.records import Claims, SessionRecord
from webapp.signin.changes import ABSENT
from webapp.views.body import shown as marked
from webapp.views.claims import shown
from webapp.words import Saying, say

NOT_KEPT = say("not kept: it was a secret of the sign-in")
MOST = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """A sentence, and the names of the claims that it is true of."""

    says: Saying
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A claim that the last refresh changed. None means that it was, or is, not there."""

    name: str
    before: str | Saying | None
    now: str | None


def differences(
    id_token: Claims, access_token: Claims, userinfo: Claims | None
) -> list[Difference]:
    """What stands in one place only, and what is said in two places differently."""
    said = {*id_token, *access_token}
    both = {*id_token} & {*access_token}
    found = [
        (say("Only in the ID token"), {*id_token} - {*access_token}),
        (say("Only in the access token"), {*access_token} - {*id_token}),
        (
            say("In both tokens, with another value"),
            {name for name in both if id_token[name] != access_token[name]},
        ),
        (
            say("In both tokens, the same"),
            {name for name in both if id_token[name] == access_token[name]},
        ),
    ]
    if userinfo is not None:
        # userInfo says true and false as words, tokens do not.
        other = {
            name
            for name in {*userinfo} & {*id_token}
            if _plain(userinfo[name]) != _plain(id_token[name])
        }
        found += [
            (say("Only in userInfo"), {*userinfo} - said),
            (say("In userInfo and the ID token, with another value"), other),
        ]
    return [
        Difference(says, tuple(sorted(marked(name[:120]) for name in names)[:MOST]))
        for says, names in found
        if names
    ]


def changes_of(record: SessionRecord, id_token: Claims) -> list[Change]:
    """The claims of the ID token that the last refresh changed, with both values."""
    before = dict(zip(record.changed_claims, record.changed_from, strict=False))
    return [
        Change(marked(name[:120]), _before(name, before.get(name)), shown(name, id_token))
        for name in record.changed_claims
    ]


def _before(name: str, kept: str | None) -> str | Saying | None:
    if name == "nonce":
        return NOT_KEPT
    if kept is None:  # the refresh was made by an earlier release
        return say("not kept")
    if kept == ABSENT:
        return None
    try:
        return shown(name, {name: json.loads(kept)})
    except ValueError:  # it was long, and was cut
        return marked(kept)


def _plain(value: object) -> str:
    return str(value).casefold() if isinstance(value, bool | str) else json.dumps(value)
