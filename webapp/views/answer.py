"""An answer of the API as a page or a script gets it: text, what was expected, and why."""

from dataclasses import dataclass

from flask import Response

from webapp.api.catalogue import Endpoint
from webapp.api.explain import Explanation, explain
from webapp.api.identities import label_of, role_name
from webapp.records import ApiAnswer, Person
from webapp.views.body import Body, readable, shown
from webapp.views.page import json_answer


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer as a page shows it."""

    raw: ApiAnswer
    method: str
    path: str
    authorization: str
    identity_label: str
    body: Body
    expected: int | None
    explanation: Explanation
    role_name: str | None

    def __getattr__(self, name: str) -> object:
        return getattr(self.raw, name)

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
    def body_text(self) -> str:
        """The body as text."""
        return self.body.text

    @property
    def body_kind(self) -> str:
        """JSON, text, binary or empty."""
        return self.body.kind

    @property
    def size(self) -> int:
        """The body's size in bytes, as far as it was read."""
        return len(self.raw.body)


def answer_view(
    endpoint: Endpoint, answer: ApiAnswer, person: Person | None, expected: int | None
) -> AnswerView:
    """The answer with what was expected and why it came out as it did."""
    return AnswerView(
        raw=answer,
        method=endpoint.method,
        path=endpoint.path,
        authorization=endpoint.authorization,
        identity_label=label_of(answer.identity),
        body=readable(answer.body, _content_type(answer), cut=answer.cut),
        expected=expected,
        explanation=explain(endpoint, answer, person),
        role_name=role_name(answer.role_arn),
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
            "headers": raw.headers,
            "body": view.body.value if view.body.kind == "JSON" else view.body.text,
            "body_kind": view.body.kind,
            "cut": raw.cut,
            "request_id": raw.request_id,
            "role": raw.role_arn,
            "request": {
                "method": raw.sent.method,
                "url": raw.sent.url,
                "headers": raw.sent.headers,
            },
            "explanation": [{"about": about, "is": what} for about, what in view.explanation],
        }
    )
