"""Where a browser would go: the origin of an address by the WHATWG URL standard, in small.

Only the question that an open redirect asks: does this text, as a Location at our application, stay
at our origin? Section names below are those of url.spec.whatwg.org. `test_RD_14` holds it against a
real browser.
"""

import re
import unicodedata
from urllib.parse import unquote

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
C0_AND_BLANK = "".join(map(chr, range(0x21)))
DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))
# Forbidden domain code points, without the ones that end a host.
FORBIDDEN = re.compile(r"[\x00-\x20\x7f#/:<>?@\[\\\]^|%]")

Origin = tuple[str, str, int]


def origin_of(text: str, base: Origin) -> Origin | None:
    """The origin to which `text` resolves at `base`; None for an opaque one or a failure."""
    text = text.strip(C0_AND_BLANK)
    for removed in "\t\n\r":
        text = text.replace(removed, "")
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    if match is None:
        return _relative(text, base)
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme not in PORTS:
        return None
    # "Special relative or authority": our own scheme without two slashes is a relative address.
    if scheme == base[0] and not rest.startswith("//"):
        return _relative(rest, base)
    return _authority(scheme, rest)


def _relative(text: str, base: Origin) -> Origin | None:
    # For special schemes a backslash is a slash ("relative state", "relative slash state").
    if text[:1] in ("/", "\\") and text[1:2] in ("/", "\\"):
        return _authority(base[0], text)
    return base


def _authority(scheme: str, text: str) -> Origin | None:
    # "Special authority ignore slashes state": any number of them, of either kind.
    authority = re.split(r"[/\\?#]", text.lstrip("/\\"), maxsplit=1)[0]
    host, port = authority.rpartition("@")[2], PORTS[scheme]
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", host)
    if match is None or not match[1]:
        return None
    if match[2]:
        port = int(match[2])
        if port > 65535:
            return None
    name = _host(match[1])
    return None if name is None else (scheme, name, port)


def _host(raw: str) -> str | None:
    if raw.startswith("["):
        return raw.lower()
    name = unicodedata.normalize("NFKC", unquote(raw, errors="replace")).translate(DOTS).casefold()
    name = name.replace("\u00ad", "").replace("\u200b", "")
    return None if not name or FORBIDDEN.search(name) else name
