"""A way out that opens no connection: a function answers what leaves, or raises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from webapp.outbound import MIB, Reply


@dataclass(frozen=True, slots=True)
class Leaving:
    """A request as it was to leave."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


class WayOut:
    """A Sender for clients that are tried alone; `sent` is all that they sent."""

    def __init__(self, answer: Callable[[Leaving], Reply]) -> None:
        self._answer = answer
        self.sent: list[Leaving] = []

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
        """What the function says."""
        del deadline, cap, safe
        self.sent.append(Leaving(method, url, headers, body))
        return self._answer(self.sent[-1])
