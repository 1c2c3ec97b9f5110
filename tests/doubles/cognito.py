"""Issuer, identity pool and API together, with the environment that leads the application there."""

import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.doubles.api import DEMO_ROUTES, FakeApi, Route
from tests.doubles.clock import Clock
from tests.doubles.double import Now
from tests.doubles.identity_pool import FakeIdentityPool
from tests.doubles.issuer import FakeIssuer
from tests.doubles.server import Server
from tests.doubles.users import User, demo_users
from tests.doubles.vault import Vault


class Cognito:
    """The whole of AWS that the application knows: three doubles, on three servers or on one.

    Close it (or use it as a context manager): that is when it raises what it had to complain of.
    """

    def __init__(
        self,
        *,
        now: Now | None = None,
        client_secret: str | None = None,
        one_server: bool = False,
        routes: tuple[Route, ...] = DEMO_ROUTES,
        new_server: Callable[[], Server] = Server,
    ) -> None:
        self.now: Now = now or Clock()
        first = new_server()
        self._servers = [first] if one_server else [first, new_server(), new_server()]
        self.issuer = FakeIssuer(first, self.now, client_secret=client_secret)
        self.vault = Vault()
        self.pool = FakeIdentityPool(
            self.issuer, self._servers[len(self._servers) // 2], self.now, vault=self.vault
        )
        self.api = FakeApi(self.issuer, self.vault, self._servers[-1], self.now, routes=routes)
        self.users: dict[str, User] = demo_users()
        self.issuer.add(*self.users.values())

    def user(self, name: str) -> User:
        """A person of the demonstration: admin, manager, viewer, nobody, both."""
        return self.users[name]

    def environment(self, app_base_url: str, **more: str) -> dict[str, str]:
        """The settings of an application at this address, registered at the pool.

        Further settings, or others instead of these, by keyword.
        """
        client = self.issuer.pool.client
        client.redirect_uris.add(f"{app_base_url}/callback")
        client.logout_uris.add(f"{app_base_url}/")
        settings = {
            "APP_BASE_URL": app_base_url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "AWS_REGION": self.issuer.region,
            "COGNITO_USER_POOL_ID": self.issuer.pool.pool_id,
            "COGNITO_CLIENT_ID": client.client_id,
            "COGNITO_ISSUER": self.issuer.issuer,
            "COGNITO_IDENTITY_POOL_ID": self.pool.identity_pool_id,
            "API_ENDPOINT": self.api.url,
            **self._endpoints(),
        }
        if client.secret is not None:
            settings["COGNITO_CLIENT_SECRET"] = client.secret
        return settings | more

    def heal(self) -> None:
        """Drop every fault and every token hook."""
        for double in (self.issuer, self.pool, self.api):
            double.heal()

    @property
    def complaints(self) -> list[str]:
        """What the doubles had to complain of so far."""
        return [text for server in self._servers for text in server.complaints]

    def assert_quiet(self) -> None:
        """Raise AssertionError if there is anything to complain of."""
        for server in self._servers:
            server.assert_quiet()

    def close(self) -> None:
        """Stop everything, then `assert_quiet`."""
        for server in self._servers:
            server.stop()
        self.assert_quiet()

    def _endpoints(self) -> dict[str, str]:
        if len(self._servers) == 1:
            return {"AWS_ENDPOINT_URL": self._servers[0].origin}
        return {
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": self.issuer.server.origin,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": self.pool.server.origin,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.stop()
        if error is None:
            self.assert_quiet()
        elif self.complaints:
            error.add_note("the doubles complain: " + "; ".join(self.complaints))
