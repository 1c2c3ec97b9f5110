"""An answer of the API as a page or a script gets it: text, what was expected, and why.

What only the page shows is computed when the page asks for it: a script's call does not pay for it.
"""

from dataclasses import dataclass

from flask import Response

from webapp.api.catalogue import Endpoint
from webapp.api.copies import Copy, KeySource, by_hand, copies
from webapp.api.explain import BACKEND, Explanation, Outcome, explain, outcome_of, statement
from webapp.api.identities import label_of, role_name
from webapp.api.sigv4 import Rehearsal, Steps, rehearsal, steps_of
from webapp.records import ApiAnswer, Person
from webapp.views.body import Body, as_sent, readable, shown
from webapp.views.page import json_answer
from webapp.words import Saying, say

_TOKENS = {"bearer-access": "ACCESS_TOKEN", "bearer-id": "ID_TOKEN"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the time that a call took; where it begins and how long it is, in hundredths."""

    key: str
    name: Saying
    milliseconds: float
    begins: float
    share: float


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer as a page shows it."""

    raw: ApiAnswer
    endpoint: Endpoint
    person: Person | None
    body: Body
    expected: int | None
    outcome: Outcome
    source: KeySource

    @property
    def explanation(self) -> Explanation:
        """Why it came out so."""
        return explain(self.endpoint, self.outcome, self.person)

    @property
    def rule(self) -> str | None:
        """The word under which the backend decided, if it named one."""
        return self.outcome.rule if self.outcome.rule not in ("", BACKEND) else None

    @property
    def statement(self) -> str | None:
        """What the role's policy would have to say, if that is why."""
        return statement(self.endpoint, self.raw, self.outcome, self.source.region)

    @property
    def identity_label(self) -> Saying:
        """Who called."""
        return label_of(self.raw.identity)

    @property
    def role_name(self) -> str | None:
        """The name of the role that signed."""
        return role_name(self.raw.role_arn)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers as text."""
        return [(shown(name), shown(value)) for name, value in self.raw.headers]

    @property
    def reason(self) -> str:
        """The words beside the status, as text."""
        return shown(self.raw.reason)

    @property
    def request_id(self) -> str | None:
        """The API's own id of the call, as text."""
        return None if self.raw.request_id is None else shown(self.raw.request_id)

    @property
    def ok(self) -> bool:
        """Whether the API said yes."""
        return 200 <= self.raw.status < 300

    @property
    def raw_text(self) -> str:
        """The body as it came, if that reads otherwise than laid out; else nothing."""
        text = as_sent(self.raw.body) if self.body.kind == "JSON" else ""
        return "" if text == self.body.text else text

    @property
    def content_type(self) -> str:
        """What the API called its body."""
        return shown(_content_type(self.raw))

    @property
    def size(self) -> int:
        """The body's size in bytes, as far as it was read."""
        return len(self.raw.body)

    @property
    def times(self) -> list[Part]:
        """Where the time went."""
        split = self.raw.split
        whole = split.credentials + split.signing + split.network or 1.0
        parts = (
            ("credentials", say("Credentials"), split.credentials),
            ("signing", say("Signing"), split.signing),
            ("network", say("On the way and in the API"), split.network),
        )
        made, begins = [], 0.0
        for key, name, taken in parts:
            share = round(100 * taken / whole, 2)
            made.append(Part(key, name, taken, round(begins, 2), share))
            begins += share
        return made

    @property
    def whole_time(self) -> float:
        """All of it, in milliseconds."""
        return sum(part.milliseconds for part in self.times)

    @property
    def steps(self) -> Steps | None:
        """How the request came to its signature."""
        return steps_of(self.raw.sent)

    @property
    def rehearsal(self) -> Rehearsal | None:
        """The same under keys that everybody knows."""
        return rehearsal(self.raw.sent, self.source.region)

    @property
    def by_hand(self) -> str:
        """The program that recomputes the rehearsal."""
        made = self.rehearsal
        return by_hand(made) if made else ""

    @property
    def sent_body(self) -> str:
        """The body that went with the request, as text."""
        return as_sent(self.raw.sent.body or b"")

    @property
    def copies(self) -> list[Copy]:
        """The call as something to paste."""
        return copies(
            self.raw.sent,
            token=_TOKENS.get(self.raw.identity),
            role_arn=self._asked_role,
            pool=self.source,
        )

    @property
    def _asked_role(self) -> str | None:
        """The role that the identity pool was asked for; None where it chose."""
        arn, person = self.raw.role_arn, self.person
        if person is None or arn is None or arn == person.preferred_role:
            return None
        return arn if arn in person.roles and self.raw.identity != "guest" else None


def answer_view(
    endpoint: Endpoint,
    answer: ApiAnswer,
    person: Person | None,
    expected: int | None,
    source: KeySource,
) -> AnswerView:
    """The answer with what was expected and why it came out as it did."""
    return AnswerView(
        raw=answer,
        endpoint=endpoint,
        person=person,
        body=readable(answer.body, _content_type(answer), cut=answer.cut),
        expected=expected,
        outcome=outcome_of(endpoint, answer),
        source=source,
    )


def _content_type(answer: ApiAnswer) -> str:
    named = (value for name, value in answer.headers if name.lower() == "content-type")
    return next(named, "").lower()


def as_json(view: AnswerView) -> Response:
    """The answer for scripts; `docs/reference/addresses.md` has the form."""
    raw = view.raw
    return json_answer(
        {
            "endpoint": raw.endpoint,
            "identity": raw.identity,
            "status": raw.status,
            "reason": raw.reason,
            "ok": view.ok,
            "expected": view.expected,
            "milliseconds": round(raw.milliseconds, 2),
            "split": {
                "credentials": round(raw.split.credentials, 2),
                "signing": round(raw.split.signing, 2),
                "network": round(raw.split.network, 2),
            },
            "headers": raw.headers,
            "body": view.body.value if view.body.kind == "JSON" else view.body.text,
            "body_kind": view.body.kind,
            "cut": raw.cut,
            "request_id": raw.request_id,
            "role": raw.role_arn,
            "rule": view.rule,
            "request": {
                "method": raw.sent.method,
                "url": raw.sent.url,
                "headers": raw.sent.headers,
            },
            "explanation": [{"about": about, "is": what} for about, what in view.explanation],
        }
    )
