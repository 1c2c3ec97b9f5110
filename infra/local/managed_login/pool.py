"""What the pages know of a user pool: app clients, people, passwords, authorization codes."""
# ruff: noqa: SLF001 - a few of ministack's private helpers, see state.py

import hmac

from infra.local.managed_login.accounts import Account, Client, PasswordPolicy
from infra.local.managed_login.authorize_request import AuthorizeRequest
from infra.local.managed_login.state import PoolState, Raw


class UserPools:
    """Every user pool of the running ministack."""

    def __init__(self, state: PoolState) -> None:
        self._state = state

    def client(self, client_id: str) -> Client | None:
        """Return the app client with this id."""
        found = self._state.client(client_id)
        if found is None:
            return None
        pool_id, pool, client = found
        only_admins = (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly")
        return Client(
            client_id=client_id,
            name=str(client.get("ClientName") or client_id),
            pool_id=pool_id,
            callback_urls=tuple(client.get("CallbackURLs") or ()),
            logout_urls=tuple(client.get("LogoutURLs") or ()),
            scopes=tuple(client.get("AllowedOAuthScopes") or ()),
            flows=tuple(client.get("AllowedOAuthFlows") or ()),
            sign_up_open=not only_admins,
        )

    def has_provider(self, pool_id: str, name: str) -> bool:
        """Say whether the pool knows an external identity provider of this name."""
        return name in (self._state.pool(pool_id).get("_identity_providers") or {})

    def account(self, pool_id: str, username: str) -> Account | None:
        """Return the user whom this username, alias or sub names."""
        user = self._state.user(pool_id, username)
        return None if user is None else self._account(pool_id, user)

    def authenticate(self, pool_id: str, username: str, password: str) -> Account | None:
        """Return the user if the password is theirs, whatever their status; else None."""
        user = self._state.user(pool_id, username)
        if user is None or self._state.cognito._password_signin_refused(user) is not None:
            return None
        known = user.get("_password")
        if not known or not hmac.compare_digest(str(known).encode(), password.encode()):
            return None
        return self._account(pool_id, user)

    def policy(self, pool_id: str) -> PasswordPolicy:
        """Return the pool's password rules; ministack's defaults are those of AWS."""
        rules = (self._state.pool(pool_id).get("Policies") or {}).get("PasswordPolicy") or {}
        return PasswordPolicy(
            minimum_length=int(rules.get("MinimumLength", 8)),
            upper=bool(rules.get("RequireUppercase", True)),
            lower=bool(rules.get("RequireLowercase", True)),
            number=bool(rules.get("RequireNumbers", True)),
            symbol=bool(rules.get("RequireSymbols", True)),
        )

    def issue_code(self, request: AuthorizeRequest, account: Account) -> str:
        """Mint an authorization code and return the application's address with it.

        ministack's own minting, so that its /oauth2/token accepts the code: single use, 300
        seconds, bound to client, redirect_uri, code_challenge and nonce.
        """
        _status, headers, _body = self._state.cognito._issue_auth_code_redirect(
            request.client.client_id,
            request.client.pool_id,
            request.redirect_uri,
            request.scope,
            account.username,
            request.nonce,
            request.code_challenge,
            request.code_challenge_method,
            request.state,
        )
        return str(headers["Location"])

    def _account(self, pool_id: str, user: Raw) -> Account:
        attributes = self._state.attributes(user)
        enrolled = "SOFTWARE_TOKEN_MFA" in user.get("_mfa_enabled", ())
        return Account(
            pool_id=pool_id,
            username=str(user["Username"]),
            email=str(attributes.get("email", "")),
            status=str(user.get("UserStatus", "CONFIRMED")),
            enabled=bool(user.get("Enabled", True)),
            has_totp=enrolled and bool(user.get("_totp_secret")),
        )
