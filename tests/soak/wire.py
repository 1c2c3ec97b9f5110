"""A browser's end of the line: a jar of its own, a connection for each request, nothing retried."""

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.doubles.cookies import parse
from tests.soak.facts import NO_ANSWER, REFUSED, Asked
from webapp.keyring import Keyring
from webapp.observe import fingerprint
from webapp.store.sealing import Ticket

TICKET = "portico"
PATIENCE_SECONDS = 45.0
"""Longer than the application lets any request last."""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HTML, JSON = "text/html,*/*;q=0.8", "application/json"


class Jar:
    """The cookies of one browser; several tabs use it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}

    def header(self) -> str:
        """The Cookie header's value."""
        with self._lock:
            return "; ".join(f"{name}={value}" for name, value in self._held.items())

    @property
    def ticket(self) -> str:
        """The session's cookie, if there is one."""
        with self._lock:
            return self._held.get(TICKET, "")

    def take(self, line: str) -> None:
        """Keep what a Set-Cookie header sets, drop what it ends."""
        cookie = parse(line)
        ends = cookie.expires_at(0.0)
        with self._lock:
            if not cookie.value or (ends is not None and ends <= 0):
                self._held.pop(cookie.name, None)
            else:
                self._held[cookie.name] = cookie.value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()


@dataclass(frozen=True)
class Reply:
    """An answer, or the fact that none came."""

    asked: Asked
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    @property
    def status(self) -> int:
        """Its status; 0 or less when none came."""
        return self.asked.status

    @property
    def location(self) -> str:
        """Where it sends the browser, or nothing."""
        return next((value for name, value in self.headers if name.lower() == "location"), "")

    @property
    def json(self) -> dict[str, Any]:
        """Its JSON object; empty for anything else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Line:
    """The way to the hosts, which are one origin, and to the provider's pages."""

    def __init__(self, base_url: str, ports: list[int], secret_key: str) -> None:
        self.base_url = base_url
        self.ports = ports
        self._netloc = urlsplit(base_url).netloc
        self._ring = Keyring((secret_key.encode(),))

    def session_of(self, ticket: str) -> str:
        """The session behind a cookie's value, as the application's log names it."""
        read = Ticket.parse(ticket)
        return fingerprint(read.place(self._ring.writing)) if read else ""

    def get(self, host: int, path: str, jar: Jar, *, accept: str = HTML) -> Reply:
        """GET from one host, as by a link of the application's."""
        return self._send(host, "GET", path, jar, {"Accept": accept})

    def post(self, host: int, path: str, jar: Jar, form: dict[str, str]) -> Reply:
        """Send a form of the application's to one host; JSON is wanted."""
        headers = {
            "Accept": JSON if path == "/api/call" else HTML,
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.base_url,
        }
        return self._send(host, "POST", path, jar, headers, urlencode(form).encode())

    def look(self, host: int, ticket: str) -> Reply:
        """/me with this ticket and nothing else; no answer changes a jar."""
        headers = {"Accept": JSON, "Cookie": f"{TICKET}={ticket}"}
        return self._asked(host, "GET", "/me", headers, b"")

    def elsewhere(self, url: str) -> str:
        """Follow one redirect of the provider's own; where it leads."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            answer.read()
            return urljoin(url, answer.getheader("Location") or "")
        finally:
            connection.close()

    def path_of(self, url: str) -> str:
        """The path and query of an address of ours; nothing for any other."""
        parts = urlsplit(urljoin(self.base_url, url))
        if parts.netloc != self._netloc:
            return ""
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    def _send(
        self,
        host: int,
        method: str,
        path: str,
        jar: Jar,
        headers: dict[str, str],
        body: bytes = b"",
    ) -> Reply:
        held = jar.header()
        reply = self._asked(host, method, path, headers | ({"Cookie": held} if held else {}), body)
        for name, value in reply.headers:
            if name.lower() == "set-cookie":
                jar.take(value)
        return reply

    def _asked(
        self, host: int, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Reply:
        sent = {"Host": self._netloc, "User-Agent": AGENT, "Accept-Language": "en"}
        sent |= {"Sec-Fetch-Site": "same-origin", "Connection": "close", **headers}
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.ports[host], timeout=PATIENCE_SECONDS
        )
        what, began = f"{method} {path.partition('?')[0]}", time.time()
        try:
            connection.connect()
        except OSError:
            return Reply(Asked(what, host, began, time.time(), REFUSED))
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            read = answer.read()
        except (OSError, http.client.HTTPException):
            return Reply(Asked(what, host, began, time.time(), NO_ANSWER))
        finally:
            connection.close()
        asked = Asked(what, host, began, time.time(), answer.status)
        return Reply(asked, tuple(answer.getheaders()), read)
