"""What can be seen without AWS credentials: our own parts, discovery, keys, clock, API."""

import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime

from webapp.doctor.findings import Finding, change, fine, needed, unknown
from webapp.errors import PorticoError
from webapp.outbound import KIB, OutboundFailed, Sender

SECONDS = 5.0
STEADY_SECONDS, TOLERATED_SECONDS = 5, 60
"""An offset that nobody minds, and the leeway of the token checks (OpenID Connect Core 3.1.3.7)."""


def own(about: str, probe: Callable[[], object]) -> Finding:
    """Whether a part of the application's own is well."""
    try:
        probe()
    except PorticoError as error:
        return change(about, f"{error.sentence} ({_reason(error)})", "See the log, and /readyz.")
    return fine(about, "answers")


def discovery(ask: Callable[[], object], issuer: str) -> Finding:
    """Whether the discovery document can be had and is the issuer's own."""
    about = "user pool: discovery"
    try:
        ask()
    except PorticoError as error:
        return change(
            about,
            f"{error.sentence} ({_reason(error)})",
            "Check COGNITO_USER_POOL_ID, AWS_REGION, COGNITO_DISCOVERY_URL, and the way out.",
        )
    return fine(about, issuer)


def keys(ask: Callable[[], object]) -> Finding:
    """Whether the signing keys can be had."""
    about = "user pool: signing keys"
    try:
        ask()
    except PorticoError as error:
        return change(about, f"{error.sentence} ({_reason(error)})", "See discovery, above.")
    return fine(about, "can be had")


def clock(sender: Sender, url: str, now: Callable[[], float] = time.time) -> Finding:
    """How far our clock is from the user pool's, by the Date of its answer (RFC 9110 6.6.1)."""
    about = "clock"
    try:
        before = now()
        reply = sender.send("GET", url, headers={"Accept": "application/json"}, deadline=SECONDS)
        date = reply.header("Date")
        if date is None:
            return unknown(about, "the user pool's answer carries no Date")
        offset = (before + now()) / 2 - parsedate_to_datetime(date).timestamp()
    except (OutboundFailed, ValueError, TypeError):
        return unknown(about, "the user pool did not tell its time")
    # Date counts whole seconds.
    away = max(0.0, abs(offset) - 1)
    told = f"{abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"
    if away <= STEADY_SECONDS:
        return fine(about, "as the user pool's")
    return needed(
        about,
        away <= TOLERATED_SECONDS,
        f"{told}, which is tolerated",
        f"{told}: tokens are refused and signatures are out of date",
        "Let this machine's clock be set by NTP.",
    )


def api(sender: Sender, endpoint: str, path: str = "/test/plain") -> Iterator[Finding]:
    """Whether the API answers at all, at its open address."""
    about = "API"
    try:
        reply = sender.send(
            "GET", endpoint + path, headers={"Accept": "application/json"}, deadline=SECONDS,
            cap=64 * KIB,
        )  # fmt: skip
    except OutboundFailed as error:
        yield change(
            about,
            f"{endpoint} gives no answer ({_reason(error)})",
            "Check API_ENDPOINT, and the way out.",
        )
        return
    yield needed(
        about,
        reply.status == 200,
        f"{endpoint} answers",
        f"GET {path} answers {reply.status}",
        "Check that API_ENDPOINT has the stage that the routes are deployed to.",
    )


def _reason(error: PorticoError) -> str:
    return str(error.facts.get("reason") or error.code)
