"""What an address may be: this machine, or our own pages."""

import ipaddress
import re
from urllib.parse import unquote

LONGEST_PATH = 512

# Printable ASCII without the characters that browsers and servers read differently.
_LOCAL = re.compile(
    r"/(?![/\\])[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*(\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?\[\]]*)?"
)
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LOOPS = ("/login", "/logout", "/callback")


def is_loopback(host: str | None) -> bool:
    """Whether a host name means this very machine, where plain http is allowed."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def local_path(raw: str | None) -> str:
    """The path if it surely leads to a page of ours, else `/`.

    Allowed is what cannot be read in two ways: one leading slash, no dot or empty segments, no
    backslash, no control character, also none after decoding once or twice; and none of the
    addresses that would sign in or out again. RFC 9700 section 4.11 has the attacks.
    """
    if not raw or len(raw) > LONGEST_PATH or not _LOCAL.fullmatch(raw) or _ESCAPE.search(raw):
        return "/"
    path = raw.partition("?")[0]
    for _ in range(3):
        segments = path.split("/")[1:]
        if any(part in (".", "..") or part.split(";")[0] in (".", "..") for part in segments):
            return "/"
        if "" in segments[:-1] or not path.isprintable() or "\\" in path or not path.isascii():
            return "/"
        if path.rstrip("/").casefold() in _LOOPS:
            return "/"
        path = unquote(path, errors="replace")
    query = raw.partition("?")[2]
    for _ in range(2):
        query = unquote(query, errors="replace")
        if not query.isprintable() or "\ufffd" in query:
            return "/"
    return raw
