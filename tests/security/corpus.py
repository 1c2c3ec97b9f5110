"""A generator of targets for open redirects: a grammar of our own over the rows RD-01 to RD-11."""

import random
from collections.abc import Iterator
from urllib.parse import quote

OURS = "portal.example.com"
SLASHES = (
    "/",
    "//",
    "///",
    "/////",
    "\\",
    "\\\\",
    "/\\",
    "\\/",
    "/./",
    "/../",
    "/.//",
    "/..\\",
    "",
)
SCHEMES = (
    *("https:", "http:", "HTTPS:", "javascript:", "data:", "vbscript:", "ftp:", "wss:", "blob:"),
    *("https:https:", "h\tttps:", "view-source:", "//", "", "", "", ""),
)
HOSTS = (
    *("evil.example", f"{OURS}.evil.example", f"evil{OURS}", f"{OURS}@evil.example", "[::1]"),
    *(f"{OURS}:443@evil.example", f"{OURS}:8443", f"{OURS}.", OURS, "2130706433", "0x7f.1"),
    *("\uff45vil.example", "evil\u3002example", f"{OURS}%40evil.example", "xn--vil-8ma.example"),
    *(f"user:pass@{OURS}", "evil.example:443", "%65vil.example", "[::ffff:7f00:1]", ""),
)
CONTROLS = (
    *("\t", "\n", "\r", "\r\n", "\0", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", " ", "\xa0", "\xad"),
    *("\u200b", "\u2028", "\u2029", "\u202e", "\u3000", "\ufeff", "\ud800", "\U000e0020"),
)
DOTS = (".", "..", "%2e", "%2E%2e", ".%2e", "%252e", "..;", ".;a=b", "...", "..%00", "\uff0e\uff0e")
ODD = ("%", "%z", "%zz", "%ff", "%c0%af", "%ed%a0%80", "%u002f", "%2", "%5c", "%255c", "%2f", "%09")
LOOPS = ("login", "logout", "callback", "LOGIN", "%6cogin", "login/", "login;a", "callback?code=x")
HONEST = (
    *("/", "/session", "/api", "/credentials", "/api/call", "/session?x=1%262", "/a-b_c.d~e"),
    *("/api?endpoint=vip&identity=user", "/session?u=https://evil.example/", "/s?x=a+b&y=%C3%A9"),
    *("/a:b", "/a@evil.example", "/a//b?c//d", "/session?x=%2F%2Fevil.example", "/@evil.example"),
    *("/;evil.example", "/a;b=c/d", "/(a)'!*,$", "/session?x#y", "/a%20b"),
)


def targets(count: int, seed: int) -> list[str]:
    """So many different texts, the same for the same seed."""
    found: dict[str, None] = {}
    for text in _endless(random.Random(seed)):
        found[text] = None
        if len(found) == count:
            break
    return list(found)


def _endless(chance: random.Random) -> Iterator[str]:
    makers = (_absolute, _absolute, _dotted, _slipped, _honest, _odd)
    while True:
        text = chance.choice(makers)(chance)
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 3))):
            text = _encoded(text, chance)
        yield text


def _absolute(chance: random.Random) -> str:
    lead = chance.choice(SCHEMES) + chance.choice(SLASHES) + chance.choice(SLASHES)
    return lead + chance.choice(HOSTS) + chance.choice(("", "/", "/..", "?a=b", "#c", "\\d"))


def _dotted(chance: random.Random) -> str:
    parts = [chance.choice((*DOTS, "a", "", "")) for _ in range(chance.randint(1, 4))]
    return "/" + "/".join(parts) + chance.choice(SLASHES) + chance.choice(HOSTS)


def _slipped(chance: random.Random) -> str:
    text = chance.choice((_absolute, _dotted, _honest))(chance)
    for _ in range(chance.randint(1, 2)):
        at = chance.randint(0, min(len(text), 12))
        text = text[:at] + chance.choice(CONTROLS) + text[at:]
    return text


def _odd(chance: random.Random) -> str:
    lead = chance.choice(("/", "/a", "//", "/session?x=", "/?"))
    return lead + "".join(chance.choice((*ODD, *LOOPS, "a")) for _ in range(chance.randint(1, 3)))


def _honest(chance: random.Random) -> str:
    text = chance.choice((*HONEST, *(f"/{loop}" for loop in LOOPS)))
    if chance.random() < 0.4:
        tail = chance.choices("abc123=&%/;:@.", k=chance.randint(1, 6))
        text += chance.choice(("?", "/", "&")) + "".join(tail)
    return text


def _encoded(text: str, chance: random.Random) -> str:
    """Percent-encode one character, some, or all."""
    share = chance.choice((1.0, 0.5, 0.1))
    lone = chance.randrange(len(text)) if text else 0
    return "".join(
        quote(character.encode("utf-8", "surrogatepass"), safe="")
        if at == lone or chance.random() < share * (character not in "abcdefghijklmnopqrstuvwxyz")
        else character
        for at, character in enumerate(text)
    )
