"""GET /api/compare: two of the last calls beside each other, and what the console shows of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, request

from webapp.api.catalogue import Endpoint, endpoint_named
from webapp.api.explain import BACKEND, Explanation, Outcome, explain, outcome_of
from webapp.api.identities import label_of, role_name
from webapp.errors import BadInput
from webapp.guard import Guard
from webapp.records import ApiAnswer, Person
from webapp.sessions import Sessions
from webapp.trail import PastCall
from webapp.views.page import Pages
from webapp.words import Saying, say

DIGEST_LETTERS = 12


@dataclass(frozen=True, slots=True)
class CallView:
    """One of the last calls as pages show it."""

    call: PastCall
    endpoint: Endpoint

    @property
    def number(self) -> int:
        """Which call of this session it was."""
        return self.call.number

    @property
    def path(self) -> str:
        """The path with its values, as far as it was kept."""
        return self.call.address or self.endpoint.path

    @property
    def label(self) -> Saying:
        """Who called."""
        return label_of(self.call.caller)

    @property
    def role(self) -> str | None:
        """The name of the role that signed."""
        return role_name(self.call.role_arn)

    def outcome(self) -> Outcome:
        """What an explanation is made of."""
        call = self.call
        return Outcome(call.caller, call.status, call.role_arn or None, call.rule)


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of two calls. `differs` is None where a difference says nothing."""

    name: str
    left: object
    right: object
    differs: bool | None


def noted(
    endpoint: Endpoint, answer: ApiAnswer, *, kind: str, expected: int | None, at: int
) -> PastCall:
    """What is remembered of a call: facts, and of the body nothing but its length and a digest."""
    plain = endpoint.path.partition("{")[0]
    address = plain + answer.sent.url.partition(plain)[2]
    split = answer.split
    return PastCall(
        number=0,
        at=at,
        endpoint=endpoint.name,
        address=address if address != endpoint.path else "",
        caller=answer.identity,
        status=answer.status,
        expected=expected or 0,
        role_arn=answer.role_arn or "",
        rule=outcome_of(endpoint, answer).rule,
        kind=kind,
        size=len(answer.body),
        digest=hashlib.sha256(answer.body).hexdigest()[:DIGEST_LETTERS],
        credentials=split.credentials,
        signing=split.signing,
        network=split.network,
    )


def views_of(calls: Iterable[PastCall]) -> list[CallView]:
    """The calls of endpoints that still are, newest first."""
    found = []
    for call in calls:
        try:
            found.append(CallView(call, endpoint_named(call.endpoint)))
        except BadInput:  # another release knew it
            continue
    return found


def make_blueprint(pages: Pages, guard: Guard, sessions: Sessions) -> Blueprint:
    """The blueprint of the comparison."""
    blueprint = Blueprint("history", __name__)

    @blueprint.get("/api/compare")
    def compare() -> str:
        found = guard.signed_in()
        calls = views_of(sessions.calls())
        left, right = _chosen(calls, "a"), _chosen(calls, "b")
        return pages.render(
            "pages/compare.html",
            calls=calls,
            left=left,
            right=right,
            rows=_rows(left, right) if left and right else [],
            reasons=_reasons(left, right, found[1] if found else None) if left and right else [],
        )

    return blueprint


def _chosen(calls: list[CallView], name: str) -> CallView | None:
    asked = request.args.get(name, "")
    return next((one for one in calls if str(one.number) == asked), None)


def _rows(left: CallView, right: CallView) -> list[Row]:
    one, other = left.call, right.call
    return [
        _row(say("Call"), _called(left), _called(right)),
        _row(say("As"), left.label, right.label),
        _row(say("Status"), one.status, other.status),
        _row(say("Expected"), one.expected or None, other.expected or None),
        _row(say("Role that signed"), left.role, right.role),
        _row(say("Rule of the backend"), _rule(one), _rule(other)),
        _row(say("Kind of body"), one.kind, other.kind),
        _row(say("Size of the body"), _bytes(one.size), _bytes(other.size)),
        _row(say("SHA-256 of the body, its beginning"), one.digest, other.digest),
        Row(say("Whole time"), _ms(one.milliseconds), _ms(other.milliseconds), None),
        Row(say("of it, for credentials"), _ms(one.credentials), _ms(other.credentials), None),
        Row(say("of it, for signing"), _ms(one.signing), _ms(other.signing), None),
        Row(say("of it, on the way and in the API"), _ms(one.network), _ms(other.network), None),
    ]


def _reasons(left: CallView, right: CallView, person: Person | None) -> list[Row]:
    one, other = _explained(left, person), _explained(right, person)
    names = {str(name): name for name, _ in (*one, *other)}
    sides = [{str(name): text for name, text in side} for side in (one, other)]
    return [_row(name, *(side.get(key) for side in sides)) for key, name in names.items()]


def _explained(view: CallView, person: Person | None) -> Explanation:
    return explain(view.endpoint, view.outcome(), person)


def _row(name: str, left: object, right: object) -> Row:
    return Row(name, left, right, left != right)


def _called(view: CallView) -> str:
    return f"{view.endpoint.method} {view.path}"


def _rule(call: PastCall) -> str | None:
    return call.rule if call.rule not in ("", BACKEND) else None


def _bytes(size: int) -> Saying:
    return say("1 byte") if size == 1 else say("%(count)s bytes", count=f"{size:,}")


def _ms(milliseconds: float) -> Saying:
    return say("%(number)s ms", number=f"{milliseconds:.2f}")
