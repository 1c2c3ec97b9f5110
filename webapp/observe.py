"""Events for operators: one JSON line each, with the request's id, never with a secret.

Log an event and its facts, not a sentence. Every value is cut and made safe for one line; libraries
may warn, but their debug output, which holds tokens and query strings, never comes through.
"""

import hashlib
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, has_request_context, request

LONGEST_VALUE = 300
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LOUD = ("urllib3", "botocore", "boto3", "authlib", "requests", "gunicorn", "werkzeug")

_log: Any = structlog.get_logger()
_tells_routine = True


def configure(level: str, form: str) -> None:
    """Set up events for this process: `form` is json or console."""
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()])
    for name in _LOUD:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger(name).level))
    for name in ("urllib3", "botocore", "boto3", "authlib", "requests"):
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _safe,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    global _log, _tells_routine
    _tells_routine = logging.getLevelName(level) <= logging.DEBUG
    _log = structlog.get_logger()  # one used before keeps the stream that it wrote to first


def event(
    name: str,
    /,
    *,
    level: str = "info",
    facts: Mapping[str, object] | None = None,
    **more: object,
) -> None:
    """Log an event of the running request, with its facts."""
    line = {**(facts or {}), **more}
    if has_request_context():
        line["request_id"] = request_id()
        if level != "debug":
            line = {**who(), "client": request.remote_addr, **line}
    getattr(_log, level)(name, **line)


def who() -> Mapping[str, object]:
    """Whose session this request opened last, as `seen` told."""
    told: Callable[[], Mapping[str, object]] | None = g.get("who")
    return told() if told else {}


def seen(told: Callable[[], Mapping[str, object]]) -> None:
    """From here on the request's events name this session; asked only when one is written."""
    g.who = told


class _Libraries(logging.Handler):
    """What libraries say, as one line of ours; of an exception its type and never its text."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            facts = {"logger": record.name, "message": record.getMessage()}
            if record.exc_info and record.exc_info[0]:
                facts["error"] = record.exc_info[0].__name__
            getattr(_log, record.levelname.lower(), _log.warning)("library", **facts)
        except Exception:  # as every handler of logging: its own trouble is nobody else's
            self.handleError(record)


def request_id() -> str:
    """The id that ties a page, its log lines and a person's question together."""
    known: str | None = g.get("request_id")
    if known is None:
        known = g.request_id = os.urandom(8).hex()
    return known


def fingerprint(value: bytes | str) -> str:
    """A short one-way name for a value in the log, so that lines can be matched, not opened."""
    raw = value.encode() if isinstance(value, str) else value
    return hashlib.sha256(b"portico/log" + raw).hexdigest()[:12]


def observe_requests(app: Flask, clock: Callable[[], float] = time.perf_counter) -> None:
    """Log every request once, by route and outcome; paths and queries stay out."""

    @app.before_request
    def begin() -> None:
        g.began = clock()

    @app.after_request
    def done(response: Response) -> Response:
        # What worked is many lines and says little, and what matters has an event of its own.
        routine = response.status_code < 400
        if routine and not _tells_routine:
            return response
        rule = request.url_rule.rule if request.url_rule else "(none)"
        if rule.startswith(("/healthz", "/readyz", "/static")) and routine:
            return response
        milliseconds = round((clock() - g.get("began", clock())) * 1000, 2)
        event(
            "request",
            level="debug" if routine else "info",
            method=request.method,
            route=rule,
            status=response.status_code,
            ms=milliseconds,
        )
        return response


def _safe(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        if isinstance(value, bool | int | float) or value is None:
            continue
        text = value if isinstance(value, str) else str(value)
        if len(text) > LONGEST_VALUE:
            text = text[:LONGEST_VALUE] + "…"
        line[key] = _UNSAFE.sub("\ufffd", text)
    return line
