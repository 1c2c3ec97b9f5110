"""One signed call in, one answer out.

Signed with AWS Signature Version 4 for `execute-api`. No redirect is followed, since it would carry
the session token and the ID token to a stranger; the answer is bounded in time and size. The way
out that is handed in bounds the number of calls at a time, and leaves a dead API alone.
"""

import re
import time
from urllib.parse import urlsplit

from webapp.api.catalogue import Endpoint
from webapp.api.cutting import without
from webapp.api.sigv4 import kept_back, signed
from webapp.deadlines import API_SECONDS
from webapp.errors import ApiBusy, ApiTimedOut, ApiUnavailable
from webapp.outbound import (
    MIB,
    OutboundFailed,
    OutboundRefused,
    OutboundTimedOut,
    Reply,
    Sender,
)
from webapp.records import ApiAnswer, AwsKeys, SentRequest, SigningText, TimeSplit, TokenSet
from webapp.words import say

CAP = MIB
ID_TOKEN_HEADER = "X-Cognito-Id-Token"
_SECRET_HEADERS = {"x-amz-security-token", "x-cognito-id-token"}
_KEY_ID = re.compile(r"(Credential=\w{4})\w+(\w{4}/)")
_EXPIRED = b"security token included in the request is expired"
_REQUEST_ID_HEADERS = ("apigw-requestid", "x-amzn-requestid", "x-amz-apigw-id")


class ApiClient:
    """Calls the endpoints of one API. `base` keeps its path part (a stage), which is signed too.

    `deadline` is in seconds.
    """

    def __init__(
        self,
        outbound: Sender,
        *,
        base: str,
        region: str,
        deadline: float = API_SECONDS,
    ) -> None:
        self._outbound = outbound
        self._base = base
        self._host = urlsplit(base).netloc
        self._region = region
        self._deadline = deadline

    def call(
        self,
        endpoint: Endpoint,
        identity: str,
        address: str,
        *,
        keys: AwsKeys | None = None,
        tokens: TokenSet | None = None,
        body: bytes | None = None,
        credentials: float = 0.0,
    ) -> ApiAnswer:
        """Call an endpoint as an identity, which is how a Caller is spelled.

        `address` and `body` are what Endpoint made. `keys` sign for a guest, a user or a role,
        `tokens` serve the bearer identities and tell the backend who the user is; `credentials` is
        how many milliseconds it took to get them. Raises ApiTimedOut at the deadline,
        ApiUnavailable when there is no whole answer, ApiBusy at once when the API is not asked
        now; any status is an answer.
        """
        began = time.perf_counter()
        url = self._base + address
        headers, signing = self._headers(endpoint.method, url, identity, keys, tokens, body)
        signed_in = (time.perf_counter() - began) * 1000
        reply = without(self._sent(endpoint.method, url, headers, body), _secrets(keys, tokens))
        return ApiAnswer(
            endpoint=endpoint.name,
            identity=identity,
            status=reply.status,
            reason=reply.reason,
            milliseconds=reply.seconds * 1000,
            headers=reply.headers,
            body=reply.body,
            cut=reply.cut,
            sent=SentRequest(endpoint.method, url, _cut(headers), body, signing),
            role_arn=keys.role_arn if keys else None,
            request_id=next(
                (value for name in _REQUEST_ID_HEADERS if (value := reply.header(name))), None
            ),
            split=TimeSplit(credentials, signed_in if signing else 0.0, reply.seconds * 1000),
        )

    def _sent(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Reply:
        try:
            return self._outbound.send(
                method,
                url,
                headers=headers,
                body=body,
                deadline=self._deadline,
                cap=CAP,
                safe=method == "GET",
            )
        except OutboundRefused as refused:
            raise _not_asked(refused) from None
        except OutboundTimedOut as error:
            raise ApiTimedOut(
                say(
                    "The API did not answer within %(seconds)s seconds.",
                    seconds=f"{self._deadline:g}",
                ),
                reason=error.facts.get("reason"),
            ) from error
        except OutboundFailed as error:
            raise ApiUnavailable(
                "The API gave no whole answer.", reason=error.facts.get("reason")
            ) from error

    def _headers(
        self,
        method: str,
        url: str,
        identity: str,
        keys: AwsKeys | None,
        tokens: TokenSet | None,
        body: bytes | None,
    ) -> tuple[dict[str, str], SigningText | None]:
        headers = {
            "Host": self._host,
            "Accept": "application/json",
            # Bodies stay as sent: nothing to unpack, nothing to explode.
            "Accept-Encoding": "identity",
            "User-Agent": "portico",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if identity == "nobody":
            return headers, None
        if identity in ("bearer-access", "bearer-id"):
            if tokens is None:
                raise AssertionError("a bearer identity needs tokens")
            token = tokens.access_token if identity == "bearer-access" else tokens.id_token
            return headers | {"Authorization": f"Bearer {token}"}, None
        if keys is None:
            raise AssertionError("a signing identity needs keys")
        if identity != "guest" and tokens is not None:
            headers[ID_TOKEN_HEADER] = tokens.id_token
        made = signed(method, url, headers, body, keys, self._region)
        return made.headers, made.text


def _not_asked(refused: OutboundRefused) -> ApiBusy:
    if refused.busy:
        return ApiBusy(
            "Too many calls of the API are under way; try again in a moment.",
            retry_after=refused.retry_after,
        )
    return ApiBusy(
        "The API has not answered for a while, so this call was not sent. It is tried again every"
        " few seconds.",
        code="api_resting",
        retry_after=refused.retry_after,
    )


def keys_expired(answer: ApiAnswer) -> bool:
    """Whether AWS refused the credentials as expired, by header or in the words of API Gateway."""
    kinds = (value for name, value in answer.headers if name.lower() == "x-amzn-errortype")
    named = any(kind.startswith("ExpiredToken") for kind in kinds)
    return answer.status == 403 and (named or _EXPIRED in answer.body.lower())


def _secrets(keys: AwsKeys | None, tokens: TokenSet | None) -> list[str]:
    of_keys = [keys.session_token, keys.secret_access_key] if keys else []
    return of_keys + ([tokens.id_token, tokens.access_token] if tokens else [])


def _cut(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers as they may be shown: what gives power is replaced by its length."""
    shown = []
    for name, value in headers.items():
        if name.lower() in _SECRET_HEADERS:
            value = kept_back(value)
        elif name.lower() == "authorization":
            value = _cut_authorization(value)
        shown.append((name, value))
    return tuple(shown)


def _cut_authorization(value: str) -> str:
    kind, _, rest = value.partition(" ")
    if kind == "Bearer":
        return f"Bearer {kept_back(rest)}"
    # The signature may be seen: without session token and key id it fits no other request, and to
    # this one for some minutes only.
    return _KEY_ID.sub(r"\1…\2", value)
