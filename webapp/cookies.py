"""A cookie read from a request and written to an answer, as text and nothing else (RFC 6265)."""


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
