"""ministack's own pools and handlers, read in its process: the only place that knows its names.

ministack keeps pools as plain dicts and offers no Python interface. The exact version pin makes
reaching in safe; tests/stack notices when the pin moves. Handlers may run Lambda triggers that call
this server back over HTTP, so nothing here may run on the event loop's thread.
"""
# ruff: noqa: SLF001 - see above: the private names are the only interface there is

import json
from types import ModuleType
from typing import Any

from infra.local.fidelity.upstream import Upstream
from infra.local.managed_login.accounts import RefusalError

Raw = dict[str, Any]


class PoolState:
    """Pools, clients and users as ministack holds them."""

    def __init__(self, upstream: Upstream) -> None:
        self.cognito: ModuleType = upstream.cognito

    def client(self, client_id: str) -> tuple[str, Raw, Raw] | None:
        """Return (pool id, pool, app client), from whichever pool owns the client."""
        pool_id, pool, client = self.cognito._find_pool_by_client_id(client_id)
        return None if client is None else (str(pool_id), pool, client)

    def pool(self, pool_id: str) -> Raw:
        """Return the pool, empty if there is none; pins its account and region for what follows."""
        pool: Raw | None = self.cognito._get_pool_unscoped(pool_id)
        return pool or {"_users": {}}

    def user(self, pool_id: str, username: str) -> Raw | None:
        """Return the user whom this username, alias or sub names."""
        pool = self.pool(pool_id)
        user: Raw | None
        user, _error = self.cognito._resolve_user(pool, username)
        any_case = (pool.get("UsernameConfiguration") or {}).get("CaseSensitive") is False
        return self._in_any_case(pool, username) if user is None and any_case else user

    def _in_any_case(self, pool: Raw, username: str) -> Raw | None:
        # ministack stores UsernameConfiguration and compares the letters nevertheless.
        wanted = username.casefold()
        for user in list(pool["_users"].values()):
            attributes = self.attributes(user)
            names = [attributes.get(name, "") for name in pool.get("UsernameAttributes") or ()]
            if wanted in (name.casefold() for name in [str(user["Username"]), *names]):
                found: Raw = user
                return found
        return None

    def attributes(self, user: Raw) -> dict[str, str]:
        """Return a user's attributes by name."""
        found: dict[str, str] = self.cognito._attr_list_to_dict(user.get("Attributes", []))
        return found

    def call(self, action: str, **data: Any) -> None:
        """Run an action of the user pool API in process; raise `RefusalError` for its errors.

        The order is that of ministack's dispatcher, without the secret hash: Managed Login is the
        pool's own page and needs no client secret.
        """
        handlers = {
            "SignUp": self.cognito._sign_up,
            "ConfirmSignUp": self.cognito._confirm_sign_up,
            "ResendConfirmationCode": self.cognito._resend_confirmation_code,
            "ConfirmForgotPassword": self.cognito._confirm_forgot_password,
            "AdminSetUserPassword": self.cognito._admin_set_user_password,
        }
        error = self.cognito._confirmation_code_error(action, data)
        status, _headers, body = error or handlers[action](data)
        if status != 200:
            answer = json.loads(body)
            raise RefusalError(str(answer["__type"]).rpartition("#")[2], str(answer["message"]))
