"""What each figure must be and aims to be, and how to say which it is."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One promise: the figure's key, what it is, its unit, and the two bounds."""

    key: str
    label: str
    unit: str
    must: float | None
    aim: float | None
    at_least: bool = False

    def mark(self, value: float | str) -> str:
        """`aim`, `must` or `OVER`; nothing where no bound was promised, or nothing measured."""
        if isinstance(value, str):
            return ""
        for word, bound in (("aim", self.aim), ("must", self.must)):
            if bound is not None and (value >= bound if self.at_least else value <= bound):
                return word
        return "OVER" if self.must is not None else ""


BUDGET = (
    Line("me", "/me as JSON / bare relying party's page, CPU", "x", 1.3, 1.1),
    Line("home", "home page signed in / bare Flask page, CPU", "x", 2.0, 1.6),
    Line("sign_in", "sign-in to first page / bare relying party, CPU", "x", 1.6, 1.3),
    Line("sign_in_me", "the same, landing on /me", "x", 1.6, 1.3),
    Line("cold", "sign-in over a cold connection to the provider, CPU", "+ms", 1.0, 0.85),
    Line("cold_bare", "bare relying party over a cold connection", "+ms", None, None),
    Line("call", "signed API call as JSON / bare relying party, CPU", "x", 1.7, 1.3),
    Line("token", "full check of an ID token", "us", 75, 50),
    Line("calls_sign_in", "provider calls a sign-in", "", 1, 1),
    Line("calls_page", "provider calls a page", "", 0, 0),
    Line("calls_api", "calls to the API a signed call", "", 1, 1),
    Line("calls_other", "calls elsewhere a signed call, credentials alive", "", 0, 0),
    Line("stored_page", "page on SQLite, many sessions stored / few, CPU", "x", 1.15, 1.1),
    Line("stored_sign_in", "sign-in, the same", "x", 1.15, 1.1),
    Line("stored_page_redis", "page on Redis, many sessions stored / few, CPU", "x", 1.15, 1.1),
    Line("stored_sign_in_redis", "sign-in, the same", "x", 1.15, 1.1),
    Line("stored_page_dynamodb", "page on DynamoDB, many stored / few, CPU", "x", 1.15, 1.1),
    Line("stored_sign_in_dynamodb", "sign-in, the same", "x", 1.15, 1.1),
    Line("stored_page_bare", "bare relying party's page, the same", "x", None, None),
    Line("stored_sign_in_bare", "bare relying party's sign-in, the same", "x", None, None),
    Line("page_redis", "page on Redis / on SQLite, CPU", "x", None, None),
    Line("sign_in_redis", "sign-in on Redis / on SQLite, CPU", "x", None, None),
    Line("page_dynamodb", "page on DynamoDB / on SQLite, CPU", "x", None, None),
    Line("sign_in_dynamodb", "sign-in on DynamoDB / on SQLite, CPU", "x", None, None),
    Line("memory_first", "memory idle, first worker and parent, PSS", "MB", 90, 60),
    Line("memory_more", "memory of each worker more, preloaded, PSS", "MB", 45, 30),
    Line("memory_session", "process memory grown a sign-in", "KB", 1000, 1000),
    Line("store_session", "store a session", "KB", 5.3, 5.3),
    Line("start", "start to first 200", "s", 1.0, 0.5),
    Line("waiting_p99", "page p99 while 24 sign-ins wait 200 ms each", "ms", 15, 6),
    Line("waiting_p99_bare", "bare relying party's page p99 meanwhile", "ms", None, None),
    Line("waiting_rate", "sign-ins a second meanwhile", "/s", 100, 100, at_least=True),
    Line("workers", "2 workers / 1 worker, pages a second", "x", 1.6, 1.8, at_least=True),
    Line("workers_bare", "bare relying party, the same", "x", None, None),
    Line("matrix", "access matrix / its slowest call, API of 150 ms, wall time", "x", 3.0, 2.0),
    Line("matrix_calls", "calls in that matrix", "", None, None),
    Line("cookie", "session cookie", "bytes", 100, 60),
    Line("anonymous_cookies", "cookies set by the anonymous home page", "", 0, 0),
)


def judged(figures: Mapping[str, float | str]) -> list[dict[str, str | float | None]]:
    """Every promise that was measured, with its figure and its mark."""
    return [
        {
            "key": line.key,
            "label": line.label,
            "value": figures[line.key],
            "unit": line.unit,
            "must": line.must,
            "aim": line.aim,
            "mark": line.mark(figures[line.key]),
        }
        for line in BUDGET
        if line.key in figures
    ]
