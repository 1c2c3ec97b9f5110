"""What a person may do to their own account before signing in, as the API lets them.

Here and not in ministack: codes that vary (its are fixed; the first one of a sign-up still is), no
reset for whom AWS refuses one, and an address that counts as verified once a mailed code came back.
"""
# ruff: noqa: SLF001 - a few of ministack's private helpers, see state.py

import base64
import secrets

from infra.local.managed_login.accounts import Account, Client, RefusalError
from infra.local.managed_login.state import PoolState

_CODE_DIGITS = 6
_RESETTABLE = ("CONFIRMED", "RESET_REQUIRED")


class SelfService:
    """Sign-up, recovery, first password and authenticator app."""

    def __init__(self, state: PoolState) -> None:
        self._state = state

    def sign_up(self, client: Client, *, email: str, password: str, name: str) -> None:
        """Register a person and mail the code; raise `RefusalError` with Cognito's error name."""
        if self._state.user(client.pool_id, email) is not None:
            raise RefusalError("UsernameExistsException", "User already exists.")
        attributes = [{"Name": "email", "Value": email}]
        if name:
            attributes.append({"Name": "name", "Value": name})
        self._state.call(
            "SignUp",
            ClientId=client.client_id,
            Username=email,
            Password=password,
            UserAttributes=attributes,
        )

    def confirm_sign_up(self, client: Client, username: str, code: str) -> None:
        """Confirm with the mailed code; raise `RefusalError`."""
        self._state.call(
            "ConfirmSignUp",
            ClientId=client.client_id,
            Username=username,
            ConfirmationCode=code,
        )
        self._mark_email_verified(client.pool_id, username)

    def resend_code(self, client: Client, username: str) -> None:
        """Mail a new confirmation code; silent when there is nobody to confirm."""
        user = self._state.user(client.pool_id, username)
        if user is None or user.get("UserStatus") != "UNCONFIRMED":
            return
        user["_confirmation_code"] = _new_code()
        self._state.call("ResendConfirmationCode", ClientId=client.client_id, Username=username)

    def send_reset_code(self, client: Client, username: str) -> None:
        """Mail a code that allows a new password; silent when nobody may get one.

        AWS refuses a reset for a person who is unconfirmed, disabled or still has the temporary
        password (API reference of ForgotPassword). ministack does not, and its code never varies.
        """
        user = self._state.user(client.pool_id, username)
        if user is None or not user.get("Enabled", True):
            return
        if user.get("UserStatus") not in _RESETTABLE:
            return
        code = _new_code()
        user["_reset_code"] = code
        attributes = self._state.attributes(user)
        pool = self._state.pool(client.pool_id)
        self._state.cognito._send_verification_email(
            pool, user["Username"], attributes, code, attribute_name="password"
        )

    def reset_password(self, client: Client, username: str, *, code: str, password: str) -> None:
        """Set a new password with the mailed code; raise `RefusalError`, for nobody at all too."""
        user = self._state.user(client.pool_id, username)
        if user is None:
            raise RefusalError("CodeMismatchException", "Invalid verification code provided.")
        self._state.call(
            "ConfirmForgotPassword",
            ClientId=client.client_id,
            Username=user["Username"],
            ConfirmationCode=code,
            Password=password,
        )
        self._mark_email_verified(client.pool_id, username)

    def replace_temporary_password(self, account: Account, password: str) -> None:
        """Answer NEW_PASSWORD_REQUIRED; raise `RefusalError` when the policy says no."""
        self._state.call(
            "AdminSetUserPassword",
            UserPoolId=account.pool_id,
            Username=account.username,
            Password=password,
            Permanent=True,
        )

    def totp_step(self, account: Account) -> str:
        """Return what the pool asks after the password: "none", "code" or "setup"."""
        mode = self._state.pool(account.pool_id).get("MfaConfiguration", "OFF")
        if mode == "OFF":
            return "none"
        if account.has_totp:
            return "code"
        return "setup" if mode == "ON" else "none"

    def totp_allowed(self, pool_id: str) -> bool:
        """Say whether people of this pool may set up an authenticator app."""
        return bool(self._state.pool(pool_id).get("MfaConfiguration", "OFF") != "OFF")

    def new_totp_secret(self) -> str:
        """Return a fresh base32 secret of 160 bits (RFC 4226 section 4)."""
        return base64.b32encode(secrets.token_bytes(20)).decode()

    def totp_matches(self, account: Account, code: str) -> bool:
        """Check a code against the person's own secret."""
        user = self._state.user(account.pool_id, account.username) or {}
        return bool(self._state.cognito._totp_matches(user.get("_totp_secret", ""), code))

    def enroll_totp(self, account: Account, *, secret: str, code: str) -> bool:
        """Keep the secret if the code proves that the person's app has it."""
        user = self._state.user(account.pool_id, account.username)
        if user is None or not self._state.cognito._totp_matches(secret, code):
            return False
        user["_totp_secret"] = secret
        self._state.cognito._apply_mfa_preference(
            user, {"SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True}}
        )
        return True

    def _mark_email_verified(self, pool_id: str, username: str) -> None:
        # A mailed code proves the address; ministack confirms the person and forgets the claim.
        user = self._state.user(pool_id, username)
        verifies = self._state.pool(pool_id).get("AutoVerifiedAttributes") or ()
        if user is not None and "email" in verifies:
            proof = [{"Name": "email_verified", "Value": "true"}]
            attributes = user.get("Attributes", [])
            user["Attributes"] = self._state.cognito._merge_attributes(attributes, proof)


def _new_code() -> str:
    return f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"
