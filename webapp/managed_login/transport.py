"""What Authlib's client sends through: one post, no redirects, a deadline, sound JSON or nothing.

A redirected token request would hand code, verifier and secret to a stranger, so none is followed.
Authlib's own requests session would do as well but costs three times the call itself.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from webapp.managed_login.facts import GrantRefused
from webapp.managed_login.strict_json import Malformed, loads_object, says_json
from webapp.managed_login.trouble import out_of_order
from webapp.outbound import Reply, Sender

FORM = "application/x-www-form-urlencoded"
BUSY_ERRORS = {"temporarily_unavailable", "slow_down", "TooManyRequestsException"}
"""Words that say nothing about the grant: it may be tried again."""


class TokenResponse:
    """An answer in the shape that Authlib reads."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self._reply = reply
        sound = not reply.cut and says_json(reply.header("Content-Type"))
        self._body = reply.body if sound else b""

    def json(self) -> dict[str, Any]:
        """The content of a success.

        Raises GrantRefused with the error code that the pool gave (RFC 6749 section 5.2), and
        ProviderUnavailable for whatever is neither.
        """
        status = self.status_code
        try:
            content = loads_object(self._body)
        except Malformed:
            raise out_of_order("The token endpoint talks nonsense.", self._reply) from None
        if status == 200 and "error" not in content:
            # When a token ends is the token's own, signed word; Authlib fails on odd hints.
            return {name: content[name] for name in content.keys() - {"expires_in", "expires_at"}}
        error = content.get("error")
        if error in BUSY_ERRORS or status == 429:
            raise out_of_order("The token endpoint asks for patience.", self._reply)
        if status in (200, 400, 401, 403) and isinstance(error, str):
            raise GrantRefused(error if error.isidentifier() and len(error) <= 64 else "unknown")
        raise out_of_order("The token endpoint is out of order.", self._reply)

    def raise_for_status(self) -> None:
        """Raise ProviderUnavailable; Authlib asks for this where there is no token to read."""
        raise out_of_order("The token endpoint is out of order.", self._reply)


class TokenTransport:
    """Posts one form within `deadline` seconds. Raises OutboundFailed."""

    def __init__(self, outbound: Sender, deadline: float) -> None:
        self._outbound = outbound
        self._deadline = deadline

    def post(
        self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str] | None, auth: Any
    ) -> TokenResponse:
        """Send the form, with the client's credentials that `auth` adds (Authlib's ClientAuth)."""
        plain = {"Accept": "application/json", "Content-Type": FORM} | dict(headers or {})
        target, signed, body = auth.prepare("POST", url, plain, urlencode(data))
        reply = self._outbound.send(
            "POST", target, headers=signed, body=body.encode(), deadline=self._deadline
        )
        return TokenResponse(reply)
