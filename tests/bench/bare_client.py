"""What the bare relying party speaks to the outside with: kept connections and SigV4, no more."""

import functools
import hashlib
import hmac
import http.client
import json
import select
import ssl
import time
from collections import deque
from typing import Any

EMPTY_HASH = hashlib.sha256(b"").hexdigest()


class Pool:
    """Kept connections to one origin under one TLS context; the last used goes out first."""

    def __init__(self, origin: str) -> None:
        self.host = origin.removeprefix("https://")
        self._context = ssl.create_default_context()
        self._idle: deque[http.client.HTTPSConnection] = deque()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send, and return the JSON of a 200; RuntimeError names any other status."""
        connection = self._take()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        if connection.sock is not None:
            self._idle.append(connection)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        value: dict[str, Any] = json.loads(data)
        return value

    def aws(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        """An unsigned call of the identity pool, in the AWS JSON 1.1 protocol."""
        headers = {
            "X-Amz-Target": f"AWSCognitoIdentityService.{action}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        return self.ask("POST", "/", json.dumps(body).encode(), headers)

    def _take(self) -> http.client.HTTPSConnection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break  # another thread was quicker
            if connection.sock and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()  # readable while idle: the other side has closed it
        return http.client.HTTPSConnection(self.host, context=self._context, timeout=10)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


@functools.lru_cache(1024)
def signing_key(secret: str, date: str, region: str) -> bytes:
    """The derived key, good for a day, a region and execute-api."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, "execute-api", "aws4_request"):
        key = _hmac(key, part)
    return key


def sign_v4(
    method: str,
    path: str,
    headers: dict[str, str],
    access_key: str,
    secret: str,
    region: str,
    *,
    stamp: str | None = None,
) -> dict[str, str]:
    """The headers with X-Amz-Date and Authorization, for an empty query and body (AWS SigV4)."""
    stamp = stamp or time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = headers | {"X-Amz-Date": stamp}
    by_name = sorted((name.lower(), value) for name, value in headers.items())
    names = ";".join(name for name, _ in by_name)
    lines = "".join(f"{name}:{value}\n" for name, value in by_name)
    canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{EMPTY_HASH}"
    scope = f"{stamp[:8]}/{region}/execute-api/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = _hmac(signing_key(secret, stamp[:8], region), text).hex()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access_key}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return headers
