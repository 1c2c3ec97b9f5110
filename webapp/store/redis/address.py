"""Where a Redis server is and how to enter: SESSION_STORE_URL taken apart."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from webapp.errors import StoreUnavailable

PORT = 6379
Node = tuple[str, int]


@dataclass(frozen=True)
class Address:
    """The first server to ask, and what every server of a cluster wants to be told."""

    node: Node
    user: str | None
    password: str | None = field(repr=False)
    database: int
    tls: ssl.SSLContext | None = field(repr=False)
    cluster: bool

    @classmethod
    def of(cls, url: str) -> "Address":
        """Take a checked address apart. Raises StoreUnavailable for certificates of no use."""
        parts = urlsplit(url)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return cls(
            node=(parts.hostname or "localhost", parts.port or PORT),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            database=int(parts.path.strip("/") or 0),
            tls=_tls(options) if parts.scheme == "rediss" else None,
            cluster=options.get("cluster") == "true",
        )


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    """Made once: loading the authorities costs milliseconds."""
    try:
        context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
        if "ssl_certfile" in options:
            context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    except OSError as error:
        raise StoreUnavailable(
            "The certificates that SESSION_STORE_URL names cannot be used; check ssl_ca_certs,"
            " ssl_certfile and ssl_keyfile.",
            reason=type(error).__name__,
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
