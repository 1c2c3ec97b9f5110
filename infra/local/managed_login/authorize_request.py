"""The request of an application at the authorization endpoint, checked as Cognito checks it.

Sources: RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1, and the
AWS pages "authorization-endpoint" and "login-endpoint". Two kinds of answer to a bad request: as
long as client and redirect_uri are not proven, a page of our own; afterwards, a redirect.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from infra.local.managed_login.accounts import Client

LANGUAGES = ("de", "en", "es", "fr", "id", "it", "ja", "ko", "pt-BR", "zh-CN", "zh-TW")

_PROMPTS = frozenset({"none", "login", "select_account", "consent"})
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_CARRIED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)

Query = tuple[tuple[str, str], ...]


class BadRequestError(Exception):
    """The request cannot be answered to the application: show `reason` (and AWS's `code`)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class ClientRefusalError(Exception):
    """The request is answered to the application: `location` carries the error."""

    def __init__(self, location: str, error: str) -> None:
        super().__init__(error)
        self.location = location


@dataclass(frozen=True, kw_only=True)
class AuthorizeRequest:
    """A valid request; what the application asked for, held through all pages of one sign-in."""

    client: Client
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    prompt: frozenset[str]
    login_hint: str
    identity_provider: str

    def query(self) -> str:
        """Return the parameters that every page and link of this sign-in carries on."""
        values = {
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": self.code_challenge,
            "code_challenge_method": self.code_challenge_method,
        }
        return urlencode([(name, values[name]) for name in _CARRIED if values[name]])

    def refusal(self, error: str, description: str) -> ClientRefusalError:
        """Return the error answer to the application (RFC 6749 section 4.1.2.1)."""
        return _refusal(self.redirect_uri, self.state, error, description)

    @property
    def origin(self) -> str:
        """Return the origin of the application, for the form-action of a content policy."""
        parts = urlsplit(self.redirect_uri)
        is_web = parts.scheme in ("http", "https")
        return f"{parts.scheme}://{parts.netloc}" if is_web else f"{parts.scheme}:"


def parse(query: Query, find_client: Callable[[str], Client | None]) -> AuthorizeRequest:
    """Return the request, or raise `BadRequestError` (client unproven) or `ClientRefusalError`."""
    client = parse_client(query, find_client)
    redirect_uri = required(query, "redirect_uri")
    if redirect_uri not in client.callback_urls:
        raise BadRequestError(
            "redirect_mismatch", f"redirect_uri is not registered: {redirect_uri}"
        )

    first = dict(reversed(query))
    state = first.get("state", "")
    problem = _problem(query, first, client)
    if problem is not None:
        raise _refusal(redirect_uri, state, *problem)
    return AuthorizeRequest(
        client=client,
        redirect_uri=redirect_uri,
        scope=first.get("scope", ""),
        state=state,
        nonce=first.get("nonce", ""),
        code_challenge=first.get("code_challenge", ""),
        code_challenge_method=first.get("code_challenge_method", ""),
        prompt=frozenset(first.get("prompt", "").split()),
        login_hint=first.get("login_hint", ""),
        identity_provider=first.get("identity_provider", ""),
    )


def parse_client(query: Query, find_client: Callable[[str], Client | None]) -> Client:
    """Return the app client that the query names, or raise `BadRequestError`."""
    client = find_client(required(query, "client_id"))
    if client is None:
        raise BadRequestError("invalid_client", "Client does not exist.")
    return client


def required(query: Query, name: str) -> str:
    """Return the one value of a parameter; the message is the one that AWS prints."""
    values = [value for key, value in query if key == name and value]
    if not values:
        raise BadRequestError(
            "invalid_request", f"Required String parameter '{name}' is not present"
        )
    if len(values) > 1:
        raise BadRequestError("invalid_request", f"Parameter '{name}' is present more than once")
    return values[0]


def _problem(query: Query, first: dict[str, str], client: Client) -> tuple[str, str] | None:
    repeated = sorted(name for name, count in Counter(key for key, _ in query).items() if count > 1)
    if repeated:
        return "invalid_request", f"{repeated[0]} is present more than once"
    return (
        _response_type_problem(first.get("response_type", ""), client)
        or _scope_problem(first.get("scope", ""), client)
        or _challenge_problem(
            first.get("code_challenge", ""), first.get("code_challenge_method", "")
        )
        or _prompt_problem(frozenset(first.get("prompt", "").split()))
    )


def _response_type_problem(response_type: str, client: Client) -> tuple[str, str] | None:
    if not response_type:
        return "invalid_request", "response_type is required"
    if response_type == "token" or (response_type == "code" and "code" not in client.flows):
        return "unauthorized_client", f"response_type {response_type} is not allowed for the client"
    if response_type != "code":
        return "unsupported_response_type", "response_type must be code"
    return None


def _scope_problem(scope: str, client: Client) -> tuple[str, str] | None:
    # Public reports of AWS show the error invalid_request with this description.
    unknown = [name for name in scope.split() if name not in client.scopes]
    return ("invalid_request", "invalid_scope") if unknown else None


def _challenge_problem(challenge: str, method: str) -> tuple[str, str] | None:
    if not challenge and not method:
        return None
    if method != "S256":
        return "invalid_request", "code_challenge_method must be S256"
    if not _S256_CHALLENGE.fullmatch(challenge):
        return "invalid_request", "code_challenge is not a SHA-256 digest in base64url"
    return None


def _prompt_problem(prompt: frozenset[str]) -> tuple[str, str] | None:
    if prompt - _PROMPTS:
        return "invalid_request", "prompt is not supported"
    if "none" in prompt and len(prompt) > 1:
        return "invalid_request", "prompt none cannot be combined"
    return None


def _refusal(redirect_uri: str, state: str, error: str, description: str) -> ClientRefusalError:
    answer = [("error", error), ("error_description", description)]
    if state:
        answer.append(("state", state))
    joint = "&" if "?" in redirect_uri else "?"
    return ClientRefusalError(f"{redirect_uri}{joint}{urlencode(answer)}", error)
