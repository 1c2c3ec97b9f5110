"""The one door to ministack's user pools: typed reads and the few changes that the pages need.

ministack keeps pools as plain dicts in its own process and offers no Python interface, so this
module reads them and calls its handlers by their private names. The exact version pin makes that
safe; tests/stack notices when the pin moves. Handlers may run Lambda triggers that call back over
HTTP, so nothing here may run on the event loop's thread.
"""
# ruff: noqa: SLF001 - see above: the private names are the only interface there is

import base64
import hmac
import json
import secrets
from types import ModuleType
from typing import Any

from infra.local.fidelity.upstream import Upstream
from infra.local.managed_login.accounts import Account, Client, PasswordPolicy, RefusalError
from infra.local.managed_login.authorize_request import AuthorizeRequest

_CODE_DIGITS = 6
_RESETTABLE = ("CONFIRMED", "RESET_REQUIRED")


class UserPools:
    """Every user pool of the running ministack."""

    def __init__(self, upstream: Upstream) -> None:
        self._cognito: ModuleType = upstream.cognito

    def client(self, client_id: str) -> Client | None:
        """Return the app client with this id, from whichever pool owns it."""
        pool_id, pool, client = self._cognito._find_pool_by_client_id(client_id)
        if client is None:
            return None
        only_admins = (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly")
        return Client(
            client_id=client_id,
            name=str(client.get("ClientName") or client_id),
            pool_id=str(pool_id),
            callback_urls=tuple(client.get("CallbackURLs") or ()),
            logout_urls=tuple(client.get("LogoutURLs") or ()),
            scopes=tuple(client.get("AllowedOAuthScopes") or ()),
            flows=tuple(client.get("AllowedOAuthFlows") or ()),
            sign_up_open=not only_admins,
        )

    def has_provider(self, pool_id: str, name: str) -> bool:
        """Say whether the pool knows an external identity provider of this name."""
        return name in (self._pool(pool_id).get("_identity_providers") or {})

    def account(self, pool_id: str, username: str) -> Account | None:
        """Return the user whom this username, alias or sub names."""
        user = self._user(pool_id, username)
        return None if user is None else self._account(pool_id, user)

    def authenticate(self, pool_id: str, username: str, password: str) -> Account | None:
        """Return the user if the password is theirs, whatever their status; else None."""
        user = self._user(pool_id, username)
        if user is None or self._cognito._password_signin_refused(user) is not None:
            return None
        known = user.get("_password")
        if not known or not hmac.compare_digest(str(known).encode(), password.encode()):
            return None
        return self._account(pool_id, user)

    def policy(self, pool_id: str) -> PasswordPolicy:
        """Return the pool's password rules; ministack's defaults are those of AWS."""
        rules = (self._pool(pool_id).get("Policies") or {}).get("PasswordPolicy") or {}
        return PasswordPolicy(
            minimum_length=int(rules.get("MinimumLength", 8)),
            upper=bool(rules.get("RequireUppercase", True)),
            lower=bool(rules.get("RequireLowercase", True)),
            number=bool(rules.get("RequireNumbers", True)),
            symbol=bool(rules.get("RequireSymbols", True)),
        )

    def sign_up(self, client: Client, *, email: str, password: str, name: str) -> Account:
        """Register a person and mail the code; raise `RefusalError` with Cognito's error name."""
        attributes = [{"Name": "email", "Value": email}]
        if name:
            attributes.append({"Name": "name", "Value": name})
        request = {"ClientId": client.client_id, "Username": email, "Password": password}
        self._call("SignUp", self._cognito._sign_up, {**request, "UserAttributes": attributes})
        account = self.account(client.pool_id, email)
        if account is None:
            raise RefusalError("InternalErrorException", "The account was not kept.")
        return account

    def confirm_sign_up(self, client: Client, username: str, code: str) -> None:
        """Confirm with the mailed code; raise `RefusalError`."""
        self._call(
            "ConfirmSignUp",
            self._cognito._confirm_sign_up,
            {"ClientId": client.client_id, "Username": username, "ConfirmationCode": code},
        )
        self._mark_email_verified(client.pool_id, username)

    def resend_code(self, client: Client, username: str) -> None:
        """Mail a new confirmation code; silent when there is nobody to confirm."""
        user = self._user(client.pool_id, username)
        if user is None or user.get("UserStatus") != "UNCONFIRMED":
            return
        user["_confirmation_code"] = _new_code()
        self._cognito._resend_confirmation_code(
            {"ClientId": client.client_id, "Username": username}
        )

    def send_reset_code(self, client: Client, username: str) -> None:
        """Mail a code that allows a new password; silent when nobody may get one.

        AWS refuses a reset for a person who is unconfirmed, disabled or still has the temporary
        password (API reference of ForgotPassword). ministack does not, and its code never varies.
        """
        user = self._user(client.pool_id, username)
        if user is None or not user.get("Enabled", True):
            return
        if user.get("UserStatus") not in _RESETTABLE:
            return
        code = _new_code()
        user["_reset_code"] = code
        attributes = self._cognito._attr_list_to_dict(user.get("Attributes", []))
        pool = self._pool(client.pool_id)
        self._cognito._send_verification_email(
            pool, user["Username"], attributes, code, attribute_name="password"
        )

    def reset_password(self, client: Client, username: str, *, code: str, password: str) -> None:
        """Set a new password with the mailed code; raise `RefusalError`, the same for nobody at all."""
        if self._user(client.pool_id, username) is None:
            raise RefusalError("CodeMismatchException", "Invalid verification code provided.")
        self._call(
            "ConfirmForgotPassword",
            self._cognito._confirm_forgot_password,
            {
                "ClientId": client.client_id,
                "Username": username,
                "ConfirmationCode": code,
                "Password": password,
            },
        )
        self._mark_email_verified(client.pool_id, username)

    def replace_temporary_password(self, account: Account, password: str) -> None:
        """Answer NEW_PASSWORD_REQUIRED; raise `RefusalError` when the policy says no."""
        request = {"UserPoolId": account.pool_id, "Username": account.username}
        self._call(
            "AdminSetUserPassword",
            self._cognito._admin_set_user_password,
            {**request, "Password": password, "Permanent": True},
        )

    def totp_step(self, account: Account) -> str:
        """Return what the pool asks after the password: "none", "code" or "setup"."""
        mode = self._pool(account.pool_id).get("MfaConfiguration", "OFF")
        if mode == "OFF":
            return "none"
        if account.has_totp:
            return "code"
        return "setup" if mode == "ON" else "none"

    def totp_allowed(self, pool_id: str) -> bool:
        """Say whether people of this pool may set up an authenticator app."""
        return bool(self._pool(pool_id).get("MfaConfiguration", "OFF") != "OFF")

    def new_totp_secret(self) -> str:
        """Return a fresh base32 secret of 160 bits (RFC 4226 section 4)."""
        return base64.b32encode(secrets.token_bytes(20)).decode()

    def totp_matches(self, account: Account, code: str) -> bool:
        """Check a code against the person's own secret."""
        user = self._user(account.pool_id, account.username) or {}
        return bool(self._cognito._totp_matches(user.get("_totp_secret", ""), code))

    def enroll_totp(self, account: Account, *, secret: str, code: str) -> bool:
        """Keep the secret if the code proves that the person's app has it."""
        user = self._user(account.pool_id, account.username)
        if user is None or not self._cognito._totp_matches(secret, code):
            return False
        user["_totp_secret"] = secret
        self._cognito._apply_mfa_preference(
            user, {"SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True}}
        )
        return True

    def issue_code(self, request: AuthorizeRequest, account: Account) -> str:
        """Mint an authorization code and return the application's address with it.

        ministack's own minting, so that its /oauth2/token accepts the code: single use, 300
        seconds, bound to client, redirect_uri, code_challenge and nonce.
        """
        _status, headers, _body = self._cognito._issue_auth_code_redirect(
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

    def _call(self, action: str, handler: Any, data: dict[str, Any]) -> None:
        # The same order as ministack's dispatcher, without the secret hash: Managed Login is the
        # pool's own page and needs no client secret.
        error = self._cognito._confirmation_code_error(action, data)
        status, _headers, body = error or handler(data)
        if status != 200:
            answer = json.loads(body)
            raise RefusalError(str(answer["__type"]).rpartition("#")[2], str(answer["message"]))

    def _pool(self, pool_id: str) -> dict[str, Any]:
        # Also pins ministack's account and region for what follows.
        pool: dict[str, Any] | None = self._cognito._get_pool_unscoped(pool_id)
        return pool or {"_users": {}}

    def _user(self, pool_id: str, username: str) -> dict[str, Any] | None:
        user: dict[str, Any] | None
        user, _error = self._cognito._resolve_user(self._pool(pool_id), username)
        return user

    def _account(self, pool_id: str, user: dict[str, Any]) -> Account:
        attributes = self._cognito._attr_list_to_dict(user.get("Attributes", []))
        enrolled = "SOFTWARE_TOKEN_MFA" in user.get("_mfa_enabled", ())
        return Account(
            pool_id=pool_id,
            username=str(user["Username"]),
            email=str(attributes.get("email", "")),
            status=str(user.get("UserStatus", "CONFIRMED")),
            enabled=bool(user.get("Enabled", True)),
            has_totp=enrolled and bool(user.get("_totp_secret")),
        )

    def _mark_email_verified(self, pool_id: str, username: str) -> None:
        # A mailed code proves the address; ministack confirms the person and forgets the claim.
        user = self._user(pool_id, username)
        verifies = self._pool(pool_id).get("AutoVerifiedAttributes") or ()
        if user is not None and "email" in verifies:
            proof = [{"Name": "email_verified", "Value": "true"}]
            attributes = user.get("Attributes", [])
            user["Attributes"] = self._cognito._merge_attributes(attributes, proof)


def _new_code() -> str:
    return f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"
