"""What goes into and comes out of the pool's client, and how the pool says no."""

from dataclasses import dataclass, field


class GrantRefused(Exception):
    """The token endpoint said no. `error` is its code (RFC 6749 section 5.2), cut to safe text."""

    def __init__(self, error: str) -> None:
        super().__init__(f"token endpoint: {error}")
        self.error = error


class AccessRefused(Exception):
    """userInfo or the user pool no longer accepts the access token."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A token response, not yet verified. `refresh_token` is None when none was returned."""

    id_token: object = field(repr=False)
    access_token: object = field(repr=False)
    refresh_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """What the app client is registered with; `api` is the address of the user pool's own API."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    signed_out_uri: str
    scopes: tuple[str, ...]
    api: str
