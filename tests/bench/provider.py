"""A stub of Cognito and API Gateway over TLS, in a process of its own, cheap and counting.

It serves discovery, key set, token endpoint, userInfo, revocation, the identity pool's two calls
and an API that answers any signed request. `/_bench` is its own door: counts, and switches for a
slow token endpoint, a slow API and connections that close. Run as `python -m tests.bench.provider`.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import secrets
import ssl
import time
from collections import Counter
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.bench.provider_tokens import Client, Mint, base64url, unbase64url

API_ANSWER = json.dumps(
    {
        "message": "Signed and seen",
        "caller": {"identityId": "us-east-1:00000000-0000-0000-0000-000000000000", "amr": ["pool"]},
        "requestId": "00000000-0000-0000-0000-000000000000",
        "path": "/whoami",
        "groups": ["Admin"],
    }
).encode()


class Request(NamedTuple):
    """One request as the stub needs it: header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class RefusalError(Exception):
    """An answer other than 200, with the JSON body to send."""

    def __init__(self, status: int, **body: str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Provider:
    """Every endpoint as a method from request to JSON; no state but counts and used codes."""

    def __init__(self, origin: str, client: Client) -> None:
        self.counts: Counter[str] = Counter()
        self.delay = self.api_delay = 0.0
        self.close = False
        self._origin, self._client = origin, client
        self._mint = Mint(client)
        self._used: set[str] = set()
        pair = f"{client.client_id}:{client.client_secret}".encode()
        self._authorization = "Basic " + base64.b64encode(pair).decode()
        self._keys = json.dumps(self._mint.key_set).encode()

    async def answer(self, request: Request) -> bytes:
        """The body for a request; RefusalError when there is none to give."""
        path = urlsplit(request.target).path
        if path == "/_bench":
            return self._switch(request)
        if path.startswith("/api/"):
            if self.api_delay:
                await asyncio.sleep(self.api_delay)
            return self._api(request)
        if path == "/oauth2/token":
            self.counts["token"] += 1
            if self.delay:
                await asyncio.sleep(self.delay)
            return self._exchange(request)
        if path == "/" and "x-amz-target" in request.headers:
            return self._identity_pool(request)
        if path.endswith("/openid-configuration"):
            self.counts["discovery"] += 1
            return json.dumps(self._discovery()).encode()
        if path.endswith("/jwks.json"):
            self.counts["keys"] += 1
            return self._keys
        if path == "/oauth2/userInfo":
            self.counts["userinfo"] += 1
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            return json.dumps({"sub": _subject(bearer), "email_verified": "true"}).encode()
        self.counts["other"] += 1
        if path == "/oauth2/revoke":
            return b""
        raise RefusalError(404, error="not_found")

    def _switch(self, request: Request) -> bytes:
        query = parse_qs(urlsplit(request.target).query)
        if "delay" in query:
            self.delay = float(query["delay"][0])
        if "api_delay" in query:
            self.api_delay = float(query["api_delay"][0])
        if "close" in query:
            self.close = query["close"][0] == "1"
        return json.dumps(self.counts).encode()

    def _exchange(self, request: Request) -> bytes:
        if request.headers.get("authorization") != self._authorization:
            raise RefusalError(401, error="invalid_client")
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        code = form.get("code", "")
        if form.get("grant_type") != "authorization_code" or code in self._used:
            raise RefusalError(400, error="invalid_grant")
        person, nonce, challenge, _ = code.split(".")
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64url(verifier) != challenge:
            raise RefusalError(400, error="invalid_grant")
        self._used.add(code)
        return json.dumps(self._mint.tokens(int(person), unbase64url(nonce).decode())).encode()

    def _identity_pool(self, request: Request) -> bytes:
        action = request.headers["x-amz-target"].rpartition(".")[2]
        self.counts[action] += 1
        body = json.loads(request.body)
        if action == "GetId":
            tokens = list(body.get("Logins", {}).values())
            identity = _subject(tokens[0]) if tokens else "00000000-0000-0000-0000-000000000000"
            return json.dumps({"IdentityId": f"us-east-1:{identity}"}).encode()
        if action == "GetCredentialsForIdentity":
            keys = {
                "AccessKeyId": "ASIA" + secrets.token_hex(8).upper(),
                "SecretKey": base64.b64encode(secrets.token_bytes(30)).decode(),
                "SessionToken": base64.b64encode(secrets.token_bytes(900)).decode(),
                "Expiration": time.time() + 3600,
            }
            return json.dumps({"IdentityId": body["IdentityId"], "Credentials": keys}).encode()
        raise RefusalError(400, __type="UnknownOperationException", message=action)

    def _api(self, request: Request) -> bytes:
        self.counts["api"] += 1
        signed = request.headers.get("authorization", "")
        if not signed.startswith("AWS4-HMAC-SHA256 Credential=ASIA") or (
            "x-amz-security-token" not in request.headers
        ):
            raise RefusalError(403, message="Forbidden")
        return API_ANSWER

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self._client.issuer,
            "authorization_endpoint": f"{self._origin}/oauth2/authorize",
            "token_endpoint": f"{self._origin}/oauth2/token",
            "userinfo_endpoint": f"{self._origin}/oauth2/userInfo",
            "revocation_endpoint": f"{self._origin}/oauth2/revoke",
            "end_session_endpoint": f"{self._origin}/logout",
            "jwks_uri": f"{self._client.issuer}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }


def _subject(token: str) -> str:
    return str(json.loads(unbase64url(token.split(".")[1]))["sub"])


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one HTTP/1.1 request with a Content-Length body, or raise IncompleteReadError."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    return Request(method, target, headers, await reader.readexactly(length) if length else b"")


async def serve(provider: Provider, port: int, chain: str, key: str) -> None:
    """Answer on loopback over TLS until the process is ended."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _one(provider, reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the peer went away between two requests
        finally:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = await asyncio.start_server(connection, "127.0.0.1", port, ssl=context, backlog=512)
    await server.serve_forever()


async def _one(
    provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    request = await read_request(reader)
    try:
        status, body = 200, await provider.answer(request)
    except RefusalError as refusal:
        status, body = refusal.status, json.dumps(refusal.body).encode()
    stay = not provider.close
    writer.write(
        b"HTTP/1.1 %d Bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\nConnection: %s\r\n\r\n%s"
        % (status, len(body), b"keep-alive" if stay else b"close", body)
    )
    await writer.drain()
    return stay


def main() -> None:
    """Start from command-line values; the parent process ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--chain", "--key", "--issuer", "--client-id", "--client-secret"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    client = Client(given.issuer, given.client_id, given.client_secret)
    provider = Provider(f"https://127.0.0.1:{given.port}", client)
    asyncio.run(serve(provider, given.port, given.chain, given.key))


if __name__ == "__main__":
    main()
