"""The way out for libraries that speak through a requests session (Authlib's client is one)."""

import requests
from requests.adapters import BaseAdapter

from webapp.outbound.client import MIB, Outbound, OutboundFailed


class OutboundAdapter(BaseAdapter):
    """Lets a requests session (Authlib's client is one) go out through `Outbound`."""

    def __init__(self, outbound: Outbound, *, deadline: float, cap: int = MIB) -> None:
        super().__init__()
        self._outbound = outbound
        self._deadline = deadline
        self._cap = cap

    def send(self, request, *_, **__):  # type: ignore[no-untyped-def]
        """Send a prepared request; requests' own timeout, proxy and TLS arguments do not count."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        reply = self._outbound.send(
            request.method,
            request.url,
            headers=request.headers,
            body=body,
            deadline=self._deadline,
            cap=self._cap,
        )
        response = requests.Response()
        response.status_code = reply.status
        response.reason = reply.reason
        response.headers = requests.structures.CaseInsensitiveDict(reply.headers)
        response.url = request.url
        response.request = request
        response._content = reply.body  # noqa: SLF001 (the documented way of adapters)
        response.encoding = "utf-8"
        if reply.cut:
            raise OutboundFailed("The answer is larger than anything sensible.", reason="too large")
        return response

    def close(self) -> None:
        """Nothing to close: the connections belong to the process."""
