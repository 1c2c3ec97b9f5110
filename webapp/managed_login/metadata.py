"""The pool's discovery document: fetched when first needed, checked, kept, healed by itself.

OpenID Connect Discovery 1.0 section 4.3: the issuer must be the one asked for. Beyond that, all
browser-facing endpoints must share one origin, so a forged document cannot send codes or secrets
to a stranger.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from webapp.addresses import is_loopback
from webapp.deadlines import NEXT_TRY_SECONDS, PROVIDER_SECONDS
from webapp.errors import ProviderUnavailable
from webapp.managed_login.strict_json import Malformed, loads_object, says_json
from webapp.managed_login.trouble import out_of_order, unreached
from webapp.outbound import OutboundFailed, Sender

RETRY_SECONDS = 1.0
FRESH_SECONDS = 24 * 3600
REFUSED_RETRY_SECONDS = 30.0
PROBE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the parts of Managed Login answer."""

    authorize: str
    token: str
    userinfo: str
    revoke: str
    logout: str
    keys: str
    announces_iss: bool

    @property
    def origin(self) -> str:
        """The origin that the browser is sent to."""
        return _origin(self.authorize)


class Metadata:
    """The endpoints of one issuer. `domain`, when given, wins over the document's origin."""

    def __init__(
        self,
        outbound: Sender,
        *,
        issuer: str,
        discovery_url: str,
        domain: str | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self._outbound = outbound
        self._url = discovery_url
        self._domain = domain
        self._now = now
        self._lock = threading.Lock()
        self._found: Endpoints | None = None
        self._tried_at = float("-inf")
        self._pause = 0.0
        self._fault: ProviderUnavailable | None = None

    def peek(self) -> Endpoints | None:
        """What is known already; never asks the network."""
        return self._found

    def endpoints(self) -> Endpoints:
        """The endpoints, fetched if need be.

        An outage keeps what is known. Raises ProviderUnavailable when nothing is known yet.
        """
        if self._found is not None and self._now() - self._tried_at < FRESH_SECONDS:
            return self._found
        # Everybody waits for the first try, behind one that is made again only for a moment, and
        # nobody who has what was known before.
        patience = PROVIDER_SECONDS if self._fault is None else NEXT_TRY_SECONDS
        if self._lock.acquire(timeout=0 if self._found else patience):
            try:
                waited = abs(self._now() - self._tried_at)  # the clock may have been put back
                settled = self._fault is None and self._found
                if waited >= (FRESH_SECONDS if settled else self._pause):
                    self._fetch()
            finally:
                self._lock.release()
        if self._found is None:
            raise self._fault or ProviderUnavailable("The user pool has not been reached yet.")
        return self._found

    def probe(self) -> None:
        """Ask for the document now, unless that was done just before. For readiness only.

        Raises ProviderUnavailable when it cannot be had, also while what is known serves.
        """
        with self._lock:
            if abs(self._now() - self._tried_at) >= PROBE_SECONDS:
                self._fetch()
            if self._fault:
                raise self._fault

    def _fetch(self) -> None:
        try:
            self._found = self._read()
            self._fault = None
        except ProviderUnavailable as fault:
            self._fault = fault
            self._pause = (
                REFUSED_RETRY_SECONDS if fault.code == "discovery_refused" else RETRY_SECONDS
            )
        self._tried_at = self._now()

    def _read(self) -> Endpoints:
        try:
            reply = self._outbound.send(
                "GET",
                self._url,
                headers={"Accept": "application/json"},
                deadline=PROVIDER_SECONDS,
                safe=True,
            )
            if reply.status != 200 or reply.cut or not says_json(reply.header("Content-Type")):
                raise out_of_order("The user pool's discovery document cannot be had.", reply)
            return self._checked(loads_object(reply.body))
        except (OutboundFailed, Malformed) as error:
            raise unreached("The user pool's discovery document cannot be had.", error) from error

    def _checked(self, document: dict[str, object]) -> Endpoints:
        if document.get("issuer") != self.issuer:
            raise _refused("its issuer is not the one in COGNITO_ISSUER")
        authorize = _address(document, "authorization_endpoint")
        token = _address(document, "token_endpoint")
        keys = _address(document, "jwks_uri")
        origin = _origin(authorize)
        at = {
            "token": token,
            "userinfo": _optional(document, "userinfo_endpoint") or origin + "/oauth2/userInfo",
            "revoke": _optional(document, "revocation_endpoint") or origin + "/oauth2/revoke",
            "logout": _optional(document, "end_session_endpoint") or origin + "/logout",
        }
        if self._domain:
            authorize = _moved(authorize, self._domain)
            at = {name: _moved(url, self._domain) for name, url in at.items()}
            origin = self._domain
        foreign = [name for name, url in at.items() if _origin(url) != origin]
        if foreign:
            raise _refused(f"its endpoints do not share one origin: {', '.join(foreign)}")
        if _origin(keys) not in (_origin(self._url), _origin(self.issuer), origin):
            raise _refused("its jwks_uri is on a foreign host")
        return Endpoints(
            authorize=authorize,
            keys=keys,
            announces_iss=document.get("authorization_response_iss_parameter_supported") is True,
            **at,
        )


def _refused(why: str) -> ProviderUnavailable:
    return ProviderUnavailable(
        f"The user pool's discovery document is refused: {why}.", code="discovery_refused"
    )


def _address(document: dict[str, object], name: str) -> str:
    url = _optional(document, name)
    if url is None:
        raise _refused(f"it has no {name}")
    return url


def _optional(document: dict[str, object], name: str) -> str | None:
    url = document.get(name)
    if url is None:
        return None
    if not isinstance(url, str) or not url.isascii() or any(c <= " " for c in url):
        raise _refused(f"its {name} is not an address")
    try:
        parts = urlsplit(url)
        sound = parts.port != 0 and parts.username is None and not parts.fragment
    except ValueError:
        sound = False
    if not sound or not (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    ):
        raise _refused(f"its {name} is not an https address")
    return url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _moved(url: str, origin: str) -> str:
    parts, to = urlsplit(url), urlsplit(origin)
    return urlunsplit((to.scheme, to.netloc, parts.path, parts.query, ""))
