"""A cookie read from a request and written to an answer, as text and nothing else (RFC 6265)."""

import re

# A language, when the rest was sealed, and the rest.
_SPOKEN = re.compile(r"([a-z]{2})\.([0-9a-f]{1,9})\.(.*)", re.S)


def only(header: str | None, name: str) -> str | None:
    """The cookie's value if it came exactly once; two of a name may mean a planted one."""
    if not header or name not in header:
        return None
    found = [
        value.strip()
        for key, _, value in (part.partition("=") for part in header.split(";"))
        if key.strip() == name
    ]
    return found[0] if len(found) == 1 and found[0] else None


def line(name: str, value: str, seconds: int | None, *, secure: bool) -> str:
    """The Set-Cookie that keeps a value for so many seconds, or while the browser is open.

    An empty value takes the cookie away. Ours are URL-safe text of our own making: there is nothing
    to quote.
    """
    age = f"; Max-Age={seconds if value else 0}" if seconds or not value else ""
    only_https = "; Secure" if secure else ""
    return f"{name}={value}{age}{only_https}; HttpOnly; Path=/; SameSite=Lax"


def with_language(code: str, sealed: str, now: float) -> str:
    """A language that a person chose, and before it ends of itself what else is kept."""
    return f"{code}.{int(now):x}.{sealed}" if code else sealed


def parted(value: str | None, now: float, seconds: int) -> tuple[str, str | None]:
    """The language in a cookie's value, and the rest unless it is older than so many seconds.

    The cookie outlives the rest, which a browser would otherwise have dropped of itself.
    """
    spoken = _SPOKEN.fullmatch(value) if value else None
    if spoken is None:
        return "", value
    code, sealed_at, rest = spoken.groups()
    return code, rest if now - int(sealed_at, 16) < seconds else None
