"""How this application is known to the user pool, as far as everybody may see it.

All of it stands in the address that a browser is sent to, or in public documents of the pool.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from webapp.managed_login.facts import ClientFacts
from webapp.managed_login.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Known:
    """The app client's registration and two of the pool's addresses, empty before discovery."""

    issuer: str
    client_id: str
    redirect_uri: str
    signed_out_uri: str
    scopes: tuple[str, ...]
    confidential: bool
    authorize: str
    keys: str


class Doorway:
    """Tells what is known; it never asks the network."""

    def __init__(self, facts: ClientFacts, metadata: Metadata) -> None:
        self._facts = facts
        self._metadata = metadata

    def known(self) -> Known:
        """What is known by now."""
        facts, endpoints = self._facts, self._metadata.peek()
        return Known(
            issuer=self._metadata.issuer,
            client_id=facts.client_id,
            redirect_uri=facts.redirect_uri,
            signed_out_uri=facts.signed_out_uri,
            scopes=facts.scopes,
            confidential=facts.client_secret is not None,
            authorize=endpoints.authorize if endpoints else "",
            keys=endpoints.keys if endpoints else "",
        )


def sign_up_address(authorize: str) -> str:
    """Managed Login's form for new people, asked with the same query as the authorize endpoint.

    AWS: managed login endpoints, /signup. It leads back by the same redirect_uri.
    """
    return urlunsplit(urlsplit(authorize)._replace(path="/signup"))
