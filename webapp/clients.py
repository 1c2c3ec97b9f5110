"""Which browser this is, as its person would name it, and roughly where: coarse on purpose.

Enough to tell one's phone from one's laptop in a list, and to notice that a cookie is used in
another browser and another network than the one that signed in. Not enough to follow anybody.
"""

import hmac
import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from webapp.keyring import Keyring

LONGEST = 400
_KNOWN = 1024
# The first that is found names it: most browsers call themselves by several of these names.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl/", "curl"),
    ("python-requests", "a Python program"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Client:
    """`name` for people, `network` a keyed hash of the network that the address lies in."""

    name: str
    network: str


class Clients:
    """Tells clients apart. Remembers the last thousand, so that a page costs a look-up."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring
        self._of = lru_cache(_KNOWN)(self._made)

    def of(self, user_agent: str, address: str | None) -> Client:
        """The client that sent this User-Agent header from this address."""
        return self._of(user_agent[:LONGEST], address or "")

    def _made(self, user_agent: str, address: str) -> Client:
        named = hmac.digest(self._ring.writing.index, b"network" + _network(address), "sha256")
        return Client(client_name(user_agent), named[:6].hex())


def client_name(user_agent: str) -> str:
    """A browser and its system, such as `Firefox on Windows`; nothing of what it said itself."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"a browser on {system}" if system else "an unknown browser")


def _network(address: str) -> bytes:
    """What a household or an office shares: /24 of IPv4, /48 of IPv6."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return b""
    return known.packed[: 3 if known.version == 4 else 6]
