"""What a single setting may look like. Each check says what is wrong and how to write it."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator

from webapp.addresses import is_loopback

MIN_KEY_BYTES, MIN_KEY_CHARACTERS = 32, 8
MAKE_A_KEY = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
# What stands in examples until somebody puts a key there.
PLACEHOLDER = re.compile(
    rb"change[-_ ]?(me|this|it)|replace[-_ ]?(me|this|with)|placeholder|insecure", re.IGNORECASE
)
REDIS_OPTIONS = ("cluster", "ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile")


def exact(value: str) -> str:
    """An address that is kept to the letter. Raises ValueError with the cure."""
    url(value, path_allowed=True)
    return value


def url(
    value: str,
    *,
    path_allowed: bool,
    query_allowed: bool = False,
    example: str = "https://portal.example.com",
) -> str:
    """An address over https, or http on this machine. Raises ValueError with the cure."""
    if re.search(r"[\s\x00-\x1f\x7f\\]", value):
        raise ValueError("has a blank or control character in it; write one plain address")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(f"is not an address; write it like {example}") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise ValueError(f"is not an address; write it like {example}")
    if parts.username is not None or (parts.query and not query_allowed) or parts.fragment:
        raise ValueError("must not carry a user name, a query or a fragment; leave those out")
    if "*" in parts.hostname:
        raise ValueError("must name one host, not a pattern; write the host out")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must start with https:// (http is for localhost, 127.0.0.1 and [::1])")
    if not path_allowed and parts.path not in ("", "/"):
        raise ValueError(f"must be an origin alone; leave {parts.path!r} out")
    return value.rstrip("/")


def origin(value: str) -> str:
    """An address without a path, as browsers write it. Raises ValueError with the cure."""
    value = url(value, path_allowed=False)
    parts = urlsplit(value)
    default = {"https": 443, "http": 80}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


REGION = r"[a-z]{2}(-[a-z]+)+-\d"


def matching(pattern: str, example: str) -> AfterValidator:
    """A check that a value looks like `example`."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"does not look right; expected something like {example}")
        return value

    return AfterValidator(check)


def key(value: str) -> bytes:
    """A key that is long enough. Raises ValueError with the cure."""
    raw = value.encode()
    if len(raw) < MIN_KEY_BYTES:
        raise ValueError(
            f"is {len(raw)} bytes long, at least {MIN_KEY_BYTES} are needed; {MAKE_A_KEY}"
        )
    return raw


def weakness(raw: bytes) -> str | None:
    """How a key can be guessed, with the cure; None for one that may be random."""
    # Of 32 random hexadecimal characters, so few are different once in 27 million keys.
    if len(set(raw)) < MIN_KEY_CHARACTERS:
        return f"repeats a few characters and can be guessed; {MAKE_A_KEY}"
    if PLACEHOLDER.search(raw):
        return f"is a placeholder and can be guessed; {MAKE_A_KEY}"
    return None


def keys(value: object) -> tuple[bytes, ...]:
    """Keys, separated by commas or blanks. Raises ValueError with the cure."""
    return tuple(key(part) for part in re.split(r"[\s,]+", str(value)) if part)


def words(value: object) -> tuple[str, ...]:
    """Words, separated by commas or blanks. Raises ValueError with the cure."""
    return tuple(word for word in re.split(r"[\s,]+", str(value)) if word)


def names(value: object) -> tuple[str, ...]:
    """Names of identity providers, separated by commas. Raises ValueError with the cure."""
    names = tuple(name.strip() for name in str(value).split(",") if name.strip())
    for name in names:
        if not re.fullmatch(r"[\w .+-]{1,32}", name):
            raise ValueError(f"has {name!r}, which cannot be the name of an identity provider")
    return names


def store_url(value: str) -> str:
    """The address of a store that this release has. Raises ValueError with the cure."""
    scheme = value.partition("://")[0]
    if scheme == "sqlite":
        if not value.startswith("sqlite:///") or value == "sqlite:///":
            raise ValueError(
                "needs a file: sqlite:///var/sessions.db or sqlite:////srv/sessions.db"
            )
        return value
    if scheme == "dynamodb":
        # AWS, "Naming rules" of DynamoDB tables.
        if not re.fullmatch(r"dynamodb://[A-Za-z0-9_.-]{3,255}", value):
            raise ValueError("needs the name of a table: dynamodb://portico-sessions")
        return value
    if scheme in ("redis", "rediss"):
        return _redis_url(value)
    raise ValueError(
        "must be a store address such as sqlite:///var/sessions.db, redis://host or"
        " dynamodb://TABLE"
    )


def _redis_url(value: str) -> str:
    # No sentence repeats the address: there may be a password in it.
    example = "write it like redis://user:password@host:6379/0"
    try:
        parts = urlsplit(value)
        port = parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(
            f"is not a Redis address; {example}, with %40 for @ and %2F for / in the password"
        ) from None
    if not parts.hostname or port == 0 or parts.fragment or re.search(r"[\s\x00-\x1f]", value):
        raise ValueError(f"is not a Redis address; {example}, with %23 for # in the password")
    options = dict(pairs)
    if len(options) != len(pairs):
        raise ValueError("sets an option twice; keep one of them")
    if not re.fullmatch(r"/?|/\d{1,4}", parts.path):
        raise ValueError(f"must end in the number of a database or in nothing; {example}")
    _check_redis_options(parts.scheme, options)
    if options.get("cluster") == "true" and parts.path.strip("/0"):
        raise ValueError("names a database, but a cluster has only number 0; leave it out")
    return value


def _check_redis_options(scheme: str, options: dict[str, str]) -> None:
    for name in options:
        if name not in REDIS_OPTIONS:
            raise ValueError(f"has an unknown option; there are {', '.join(REDIS_OPTIONS)}")
        if name.startswith("ssl_") and scheme != "rediss":
            raise ValueError(f"has {name}, which is for rediss:// only; write rediss or leave it")
    if options.get("cluster", "true") not in ("true", "false"):
        raise ValueError("has a cluster option that is neither true nor false; write one of them")
    if options.get("ssl_cert_reqs", "required") != "required":
        raise ValueError(
            "would not check the server's certificate; leave ssl_cert_reqs out, and name the"
            " authority of a private certificate in ssl_ca_certs"
        )
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise ValueError("has ssl_keyfile without ssl_certfile; set both")
    for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
        if name in options and not Path(options[name]).is_file():
            raise ValueError(f"names a file in {name} that is not there; check the path")
