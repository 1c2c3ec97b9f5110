"""A browser's cookie jar for one origin, strict about the prefixes."""

import email.utils
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import SplitResult


@dataclass(frozen=True)
class Cookie:
    """One Set-Cookie as it came; attribute names in lower case, flags with an empty value."""

    name: str
    value: str = field(repr=False)
    attributes: dict[str, str]

    @property
    def path(self) -> str:
        """Its path, / if it names none."""
        return self.attributes.get("path") or "/"

    def expires_at(self, now: float) -> float | None:
        """When it ends, in epoch seconds; None for a cookie of the browser session."""
        if "max-age" in self.attributes:
            return now + float(self.attributes["max-age"])
        if "expires" in self.attributes:
            return email.utils.parsedate_to_datetime(self.attributes["expires"]).timestamp()
        return None

    def refusal(self) -> str | None:
        """Why a browser would refuse it by its prefix (RFC 6265bis 4.1.3), or None."""
        if self.name.startswith("__Host-"):
            if "secure" not in self.attributes or "domain" in self.attributes:
                return "__Host- without Secure or with Domain"
            if self.attributes.get("path") != "/":
                return "__Host- with another path than /"
        if self.name.startswith("__Secure-") and "secure" not in self.attributes:
            return "__Secure- without Secure"
        return None


def parse(header: str) -> Cookie:
    """Read one Set-Cookie header."""
    first, *rest = header.split(";")
    name, _, value = first.strip().partition("=")
    attributes = {}
    for part in rest:
        key, _, text = part.strip().partition("=")
        attributes[key.lower()] = text
    return Cookie(name, value, attributes)


class Jar:
    """The cookies of one browser at one origin; assign and delete by name to tamper."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: dict[str, tuple[Cookie, float | None]] = {}
        self.history: list[Cookie] = []
        """Every Set-Cookie that came, in order."""

    def take(self, header: str) -> None:
        """Store or drop what a Set-Cookie says; AssertionError for one a browser refuses."""
        cookie = parse(header)
        self.history.append(cookie)
        if (reason := cookie.refusal()) is not None:
            raise AssertionError(f"a browser refuses the cookie {cookie.name}: {reason}")
        ends = cookie.expires_at(self._now())
        if ends is not None and ends <= self._now():
            self._held.pop(cookie.name, None)
        else:
            self._held[cookie.name] = (cookie, ends)

    def for_url(self, url: SplitResult) -> list[tuple[str, str]]:
        """The names and values that go along to this address."""
        # Browsers hold loopback to be trustworthy: Secure cookies go there over http as well.
        secure = url.scheme == "https" or url.hostname in ("localhost", "127.0.0.1", "::1")
        return [
            (cookie.name, cookie.value)
            for cookie, ends in list(self._held.values())
            if (ends is None or ends > self._now())
            and (secure or "secure" not in cookie.attributes)
            and _path_matches(url.path or "/", cookie.path)
        ]

    def __getitem__(self, name: str) -> str:
        return self._held[name][0].value

    def __setitem__(self, name: str, value: str) -> None:
        self._held[name] = (Cookie(name, value, {}), None)

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def __contains__(self, name: object) -> bool:
        return name in self._held

    @property
    def names(self) -> list[str]:
        """What it holds."""
        return list(self._held)

    def clear(self) -> None:
        """Drop everything."""
        self._held.clear()

    def copy(self) -> "Jar":
        """Another jar with the same cookies and no history."""
        other = Jar(self._now)
        other.restore(self._held)
        return other

    def save(self) -> dict[str, tuple[Cookie, float | None]]:
        """A copy of what it holds, for `restore`."""
        return dict(self._held)

    def restore(self, saved: dict[str, tuple[Cookie, float | None]]) -> None:
        """Put back what was saved: a jar rolled back, or a stolen one."""
        self._held = dict(saved)


def _path_matches(path: str, scope: str) -> bool:
    return path == scope or path.startswith(scope if scope.endswith("/") else f"{scope}/")
