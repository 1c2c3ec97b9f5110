"""Managed Login and the user pool, as one client sees them: addresses to send a browser to, and the
few calls that the server makes itself.

Each call gets its own Authlib client over the process's kept connections.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from authlib.oauth2.client import OAuth2Client

from webapp import budget
from webapp.deadlines import PROVIDER_SECONDS, REFRESH_SECONDS
from webapp.errors import ProviderUnavailable
from webapp.managed_login.facts import (
    AccessRefused,
    ClientFacts,
    GrantRefused,
    TokenAnswer,
)
from webapp.managed_login.metadata import Endpoints, Metadata
from webapp.managed_login.strict_json import Malformed, loads_object, says_json
from webapp.managed_login.transport import TokenTransport
from webapp.managed_login.trouble import out_of_order, unreached
from webapp.outbound import MIB, OutboundFailed, Sender
from webapp.records import Claims

CALL_SECONDS = PROVIDER_SECONDS
JSON = "application/json"


class ManagedLogin:
    """The relying party's side of Managed Login; `directory` is the way to the pool's own API."""

    def __init__(
        self,
        facts: ClientFacts,
        metadata: Metadata,
        outbound: Sender,
        directory: Sender | None = None,
    ) -> None:
        self._facts = facts
        self._metadata = metadata
        self._outbound = outbound
        self._directory = directory or outbound
        # RFC 6749 section 2.3.1: form-encoded inside Basic, which Authlib leaves to its caller.
        self._secret = facts.client_secret and quote(facts.client_secret, safe="")
        self._proven = False  # whether a pool has taken the secret in this form

    @property
    def origin(self) -> str | None:
        """The origin of Managed Login, if known without asking."""
        known = self._metadata.peek()
        return known.origin if known else None

    @property
    def announces_iss(self) -> bool:
        """Whether the callback must carry `iss` (RFC 9207 section 2.4)."""
        return self._metadata.endpoints().announces_iss

    @property
    def issuer(self) -> str:
        """The one issuer of this application."""
        return self._metadata.issuer

    def authorize_url(
        self, *, state: str, nonce: str, verifier: str, options: dict[str, str]
    ) -> str:
        """Where to send the browser (RFC 6749 section 4.1.1 with RFC 7636, S256).

        Raises ProviderUnavailable when the pool's addresses cannot be had.
        """
        client = self._client(CALL_SECONDS)
        url, _ = client.create_authorization_url(
            self._metadata.endpoints().authorize,
            state=state,
            nonce=nonce,
            code_verifier=verifier,
            redirect_uri=self._facts.redirect_uri,
            scope=" ".join(self._facts.scopes),
            **options,
        )
        return str(url)

    def exchange(self, code: str, verifier: str) -> TokenAnswer:
        """Spend an authorization code (RFC 6749 section 4.1.3).

        Raises GrantRefused when the pool says no, ProviderUnavailable when it gives no sensible
        answer; after that the code may or may not be spent.
        """
        return self._granted(
            CALL_SECONDS,
            lambda client: client.fetch_token(
                self._metadata.endpoints().token,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=self._facts.redirect_uri,
            ),
        )

    def refresh(self, refresh_token: str) -> TokenAnswer:
        """Trade a refresh token for new tokens (RFC 6749 section 6). Raises as `exchange`.

        Not begun unless its whole time is left: a rotated token must not be lost by half a wait.
        """
        if budget.left() < REFRESH_SECONDS:
            raise ProviderUnavailable("This request has no time left to renew tokens.")
        return self._granted(
            REFRESH_SECONDS,
            lambda client: client.refresh_token(
                self._metadata.endpoints().token, refresh_token=refresh_token
            ),
            sent=refresh_token,
        )

    def revoke(self, refresh_token: str, *, deadline: float = CALL_SECONDS) -> None:
        """Revoke a refresh token and what came of it (RFC 7009), within `deadline` seconds.

        Raises ProviderUnavailable when that could not be made sure.
        """
        client = self._client(deadline)
        try:
            response = client.revoke_token(
                self._known().revoke, token=refresh_token, token_type_hint="refresh_token"
            )
        except OutboundFailed as error:
            raise unreached("The user pool could not be told to revoke.", error) from error
        if response.status_code != 200:
            raise ProviderUnavailable(
                "The user pool could not be told to revoke.", upstream=response.status_code
            )

    def userinfo(self, access_token: str) -> Claims:
        """What the pool says of the person right now (OpenID Connect Core 5.3).

        Raises AccessRefused when the token is no longer accepted, ProviderUnavailable otherwise.
        """
        try:
            reply = self._outbound.send(
                "GET",
                self._metadata.endpoints().userinfo,
                headers={"Authorization": f"Bearer {access_token}", "Accept": JSON},
                deadline=CALL_SECONDS,
                cap=MIB // 16,
                safe=True,
            )
            if reply.status in (401, 403):
                raise AccessRefused("userinfo refused the access token")
            if reply.status != 200 or reply.cut or not says_json(reply.header("Content-Type")):
                raise out_of_order("userInfo gave no answer.", reply)
            return loads_object(reply.body)
        except (OutboundFailed, Malformed) as error:
            raise unreached("userInfo gave no sensible answer.", error) from error

    def sign_out_everywhere(self, access_token: str, *, deadline: float = CALL_SECONDS) -> None:
        """Revoke all refresh tokens of the person (AWS: GlobalSignOut), within `deadline` seconds.

        Needs the scope `aws.cognito.signin.user.admin`. Raises AccessRefused when the token lacks
        it or is no longer accepted, ProviderUnavailable otherwise.
        """
        body = json.dumps({"AccessToken": access_token}).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.GlobalSignOut",
        }
        try:
            reply = self._directory.send(
                "POST", self._facts.api, headers=headers, body=body, deadline=deadline
            )
            if reply.status == 200:
                return
            kind = str(loads_object(reply.body).get("__type", ""))
        except (OutboundFailed, Malformed) as error:
            raise unreached("The user pool could not sign out everywhere.", error) from error
        if kind.rpartition("#")[2] == "NotAuthorizedException":
            raise AccessRefused("GlobalSignOut refused the access token")
        raise out_of_order("The user pool could not sign out everywhere.", reply)

    def logout_url(self) -> str:
        """Where Cognito ends its own browser session and sends the browser back to us.

        Not RP-initiated logout: Cognito wants `client_id` and `logout_uri` (AWS: Logout endpoint).
        """
        query = {"client_id": self._facts.client_id, "logout_uri": self._facts.signed_out_uri}
        return _with_query(self._known().logout, urlencode(query))

    def switch_url(self, authorize_url: str) -> str:
        """Where Cognito ends its browser session and starts the sign-in of `authorize_url`."""
        query = authorize_url.partition("?")[2]
        return _with_query(self._known().logout, query)

    def _known(self) -> Endpoints:
        # What is known is good enough to leave by: no wait for a newer document.
        return self._metadata.peek() or self._metadata.endpoints()

    def _client(self, deadline: float) -> OAuth2Client:
        facts = self._facts
        method = "client_secret_basic" if facts.client_secret else "none"
        return OAuth2Client(
            TokenTransport(self._outbound, deadline),
            facts.client_id,
            self._secret,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            code_challenge_method="S256",
        )

    def _granted(
        self, deadline: float, grant: Callable[[OAuth2Client], Any], *, sent: str | None = None
    ) -> TokenAnswer:
        try:
            answer = self._tokens(lambda: grant(self._client(deadline)), sent=sent)
        except GrantRefused as refusal:
            encoded, raw = self._secret, self._facts.client_secret
            if refusal.error != "invalid_client" or self._proven or encoded == raw:
                raise
            # Some pools take Basic to the letter. A refused client spends neither code nor token.
            self._secret = raw
            try:
                answer = self._tokens(lambda: grant(self._client(deadline)), sent=sent)
            except (GrantRefused, ProviderUnavailable):
                self._secret = encoded
                raise
        self._proven = True
        return answer

    @staticmethod
    def _tokens(grant: Any, *, sent: str | None = None) -> TokenAnswer:
        try:
            token = grant()
        except OutboundFailed as error:
            raise unreached("The token endpoint gave no answer.", error) from error
        if str(token.get("token_type", "")).casefold() != "bearer":
            raise GrantRefused("wrong_token_type")
        returned = token.get("refresh_token")
        if not isinstance(returned, str | None) or (returned and len(returned) > MIB // 64):
            raise GrantRefused("malformed_refresh_token")
        return TokenAnswer(
            id_token=token.get("id_token"),
            access_token=token.get("access_token"),
            refresh_token=returned or sent,
        )


def _with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"
