"""An answer of the API as `call` tells it: for people, and for programs."""

from dataclasses import asdict, dataclass

from webapp.api.catalogue import Endpoint
from webapp.api.explain import Explanation
from webapp.cli.plain import plain
from webapp.cli.table import BAD, GOOD, Cell, Value, pairs
from webapp.records import ApiAnswer
from webapp.views.body import Body, readable


@dataclass(frozen=True, slots=True)
class Told:
    """An answer with what was to be expected and why it came out as it did."""

    endpoint: Endpoint
    answer: ApiAnswer
    expected: int | None
    explanation: Explanation

    @property
    def as_expected(self) -> bool:
        """Whether it came out as expected; where nobody can say, whether the API said yes."""
        if self.expected is None:
            return self.ok
        return self.answer.status == self.expected

    @property
    def ok(self) -> bool:
        """Whether the API said yes."""
        return 200 <= self.answer.status < 300


def content_of(told: Told) -> dict[str, object]:
    """The answer for programs, as `POST /api/call` gives it."""
    answer, body = told.answer, _readable(told.answer)
    return {
        "endpoint": answer.endpoint,
        "identity": answer.identity,
        "status": answer.status,
        "reason": answer.reason,
        "ok": told.ok,
        "expected": told.expected,
        "as_expected": told.as_expected,
        "milliseconds": round(answer.milliseconds, 2),
        "split": {name: round(value, 2) for name, value in asdict(answer.split).items()},
        "headers": answer.headers,
        "body": body.value if body.kind == "JSON" else body.text,
        "body_kind": body.kind,
        "cut": answer.cut,
        "request_id": answer.request_id,
        "role": answer.role_arn,
        "request": {
            "method": answer.sent.method,
            "url": answer.sent.url,
            "headers": answer.sent.headers,
        },
        "explanation": [{"about": about, "is": what} for about, what in told.explanation],
    }


def text_of(told: Told, *, verbose: bool) -> str:
    """The answer for people; `verbose` adds what was sent and signed, secrets cut."""
    answer = told.answer
    status = Cell(f"{answer.status} {answer.reason}".strip(), GOOD if told.ok else BAD)
    rows: list[tuple[str, Value]] = [
        ("status", status),
        ("expected", _expected(told)),
        ("time", _time(answer)),
        *((about.lower(), what) for about, what in told.explanation),
    ]
    parts = [pairs(rows)]
    if verbose:
        sent = f"{answer.sent.method} {answer.sent.url}"
        parts += [f"> {plain(sent)}\n" + _headers("> ", answer.sent.headers)]
        parts += _signing(answer)
        parts += [f"< {plain(status.text)}\n" + _headers("< ", answer.headers)]
    parts.append(body_of(told))
    if answer.cut:
        parts.append("There was more than is read of an answer.")
    return "\n\n".join(part for part in parts if part)


def body_of(told: Told) -> str:
    """The answer's body as a terminal may show it."""
    return "\n".join(plain(line) for line in _readable(told.answer).text.splitlines())


def _expected(told: Told) -> Cell:
    if told.expected is None:
        return Cell("nobody can say")
    return Cell(str(told.expected), GOOD if told.as_expected else BAD)


def _headers(mark: str, headers: tuple[tuple[str, str], ...]) -> str:
    return "\n".join(f"{mark}{plain(name)}: {plain(value)}" for name, value in headers)


def _time(answer: ApiAnswer) -> str:
    split = answer.split
    if not split.credentials and not split.signing:
        return f"{answer.milliseconds:.0f} ms"
    return (
        f"{split.network:.0f} ms on the way, {split.credentials:.0f} ms for credentials,"
        f" {split.signing:.1f} ms to sign"
    )


def _signing(answer: ApiAnswer) -> list[str]:
    texts = answer.sent.signing
    if texts is None:
        return []
    both = (
        ("canonical request", texts.canonical_request),
        ("string to sign", texts.string_to_sign),
    )
    return [
        "\n".join([f"{name}:", *(f"| {plain(line)}" for line in text.split("\n"))])
        for name, text in both
    ]


def _readable(answer: ApiAnswer) -> Body:
    kinds = (value for name, value in answer.headers if name.lower() == "content-type")
    return readable(answer.body, next(kinds, "").lower(), cut=answer.cut)
