"""The way out to one part: through its breaker, and never past the end of the request."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from webapp import budget
from webapp.breaker import Breaker, Refused
from webapp.outbound.client import (
    MIB,
    OutboundFailed,
    OutboundRefused,
    OutboundTimedOut,
    Reply,
    Sender,
)

LONGEST_REST_SECONDS = 30
"""Whatever a part asks for, it is looked at again after so long."""


def no_sign_of_life(error: Exception, seconds: float, *, fair: float = 1.0) -> bool | None:
    """What a failure says of a part, for its Breaker.

    A call that was given less than `fair` seconds and ran out of them says nothing.
    """
    if not isinstance(error, OutboundFailed) or not error.silent:
        return None
    return None if isinstance(error, OutboundTimedOut) and seconds < fair else True


class Part:
    """A Sender to one part. `heeds` says that it rests as long as the part asks for.

    That is for parts that speak to the whole application, and not to one person at a time. `aside`
    is for threads beside those that serve: they are bounded themselves and take no seat.
    """

    def __init__(
        self, outbound: Sender, breaker: Breaker, *, heeds: bool = False, aside: bool = False
    ) -> None:
        self._outbound = outbound
        self._breaker = breaker
        self._heeds = heeds
        self._run = breaker.past_seats if aside else breaker.run

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline: float,
        cap: int = MIB,
        safe: bool = False,
    ) -> Reply:
        """As Outbound.send, and raises OutboundRefused when the part is not asked at all."""
        left = budget.left()
        if left <= 0:
            raise OutboundTimedOut("The request has no time left.", reason="request over")
        try:
            reply = self._run(
                self._outbound.send,
                method,
                url,
                headers=headers,
                body=body,
                deadline=min(deadline, left),
                cap=cap,
                safe=safe,
            )
        except Refused as refused:
            raise OutboundRefused(
                "This part is not asked just now.",
                reason=refused.reason,
                retry_after=refused.retry_after,
            ) from None
        if self._heeds and reply.status >= 400 and (seconds := patience(reply)):
            self._breaker.rest(seconds)
        return reply


def patience(reply: Reply) -> int | None:
    """For how many seconds an answer asks to be left alone (RFC 9110 section 10.2.3), bounded."""
    text = reply.header("Retry-After")
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        seconds = int(text[:6])
    else:
        try:
            seconds = int(parsedate_to_datetime(text).timestamp() - time.time())
        except (ValueError, OverflowError):  # whatever it is, it is no time
            return None
    return max(1, min(seconds, LONGEST_REST_SECONDS))
