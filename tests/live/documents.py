"""Documents as a person reads them: tokens of the kit's own, AWS keys for them, signed requests.

The application hands out no token, so the kit runs the code flow itself, in the browser of somebody
who has signed in; nothing is asked a second time.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from infra.functions.api.rules import Document, Reader, decide, decide_unknown
from tests.live.account import Account
from tests.live.visitor import LiveVisitor
from tests.stack.api_callers import Signature
from tests.stack.world import claims_of
from webapp.settings import Settings

_SECONDS = 20


@dataclass(frozen=True, repr=False)
class DocumentReader:
    """Somebody's own keys and ID token; None for both is a request without any proof."""

    settings: Settings
    keys: dict[str, str] | None = None
    id_token: str | None = None

    @property
    def as_the_rules_see(self) -> Reader:
        """What the rules look at, from the ID token."""
        claims = claims_of(self.id_token) if self.id_token else {}
        projects = str(claims.get("custom:project_ids") or "")
        return Reader(
            sub=str(claims.get("sub", "")),
            groups=tuple(claims.get("cognito:groups", ())),
            department=claims.get("custom:department"),
            projects=tuple(one.strip() for one in projects.split(",") if one.strip()),
        )

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """The answer to a GET of this path, signed when there are keys."""
        return self.send("GET", path)

    def send(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """The answer to a request without a body."""
        answer = requests.request(
            method,
            self.settings.api_endpoint + path,
            headers={"X-Cognito-Id-Token": self.id_token} if self.id_token else {},
            auth=Signature(self.keys, self.settings.aws_region).auth() if self.keys else None,
            timeout=_SECONDS,
        )
        return answer.status_code, answer.json()


@contextmanager
def reader_of(visitor: LiveVisitor, account: Account) -> Iterator[DocumentReader]:
    """The reader for whoever is signed in in this browser; the tokens are revoked afterwards."""
    login, tokens = _tokens(visitor, account)
    settings = account.settings
    try:
        keys = _keys(settings, {settings.login_key: tokens["id_token"]})
        yield DocumentReader(settings, keys, tokens["id_token"])
    finally:
        form = {"token": tokens["refresh_token"], "client_id": settings.cognito_client_id}
        requests.post(f"{login}/oauth2/revoke", form, auth=_client(settings), timeout=_SECONDS)


def guest(account: Account) -> DocumentReader:
    """A guest with keys."""
    return DocumentReader(account.settings, _keys(account.settings, {}))


def expected(reader: Reader, body: dict[str, Any], now: float) -> str | None:
    """The rule by which this person reads a document, or None when only a share can allow it."""
    document = Document(
        id=body["id"],
        owner=body["owner"],
        title=body["title"],
        text=body["text"],
        department=body.get("department"),
        project=body.get("project"),
    )
    decision = decide(reader, "read", document, now=now)
    return decision.rule if decision.allowed else None


def expected_of_none(reader: Reader) -> tuple[int, str]:
    """Status and rule for a document that is not there."""
    decision = decide_unknown(reader)
    return (404 if decision.allowed else 403), decision.rule


def _tokens(visitor: LiveVisitor, account: Account) -> tuple[str, dict[str, str]]:
    """The pool's origin and the token endpoint's answer."""
    __tracebackhide__ = True  # what failed is in the message; tokens need not be in a report
    settings = account.settings
    way_in = requests.get(f"{visitor.application}/login", allow_redirects=False, timeout=_SECONDS)
    login = "://".join(urlsplit(way_in.headers["location"])[:2])
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    redirect_uri = f"{visitor.application}/callback"
    query = {
        "response_type": "code",
        "client_id": settings.cognito_client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(settings.cognito_scopes),
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    form = {
        "grant_type": "authorization_code",
        "client_id": settings.cognito_client_id,
        "redirect_uri": redirect_uri,
        "code": _code(visitor, f"{login}/oauth2/authorize?{urlencode(query)}", state),
        "code_verifier": verifier,
    }
    answer = requests.post(f"{login}/oauth2/token", form, auth=_client(settings), timeout=_SECONDS)
    assert answer.status_code == 200, f"the token endpoint says {answer.status_code}"
    tokens: dict[str, str] = answer.json()
    return login, tokens


def _code(visitor: LiveVisitor, authorize: str, state: str) -> str:
    """The code for our own state, which the application refuses and so leaves unspent."""
    page, seen = visitor.context.new_page(), list[str]()
    page.on("request", lambda request: seen.append(request.url))
    page.goto(authorize)
    page.close()
    answers = [parse_qs(urlsplit(url).query) for url in seen if "/callback?" in url]
    codes = [answer["code"][0] for answer in answers if answer.get("state") == [state]]
    assert codes, "the pool sent no code for somebody who is signed in"
    return codes[0]


def _client(settings: Settings) -> tuple[str, str] | None:
    secret = settings.cognito_client_secret
    return (settings.cognito_client_id, secret) if secret else None


def _keys(settings: Settings, logins: dict[str, str]) -> dict[str, str]:
    __tracebackhide__ = True
    pool = settings.identity_pool_endpoint
    url = f"{pool or f'https://cognito-identity.{settings.aws_region}.amazonaws.com'}/"

    def ask(action: str, **body: Any) -> dict[str, Any]:
        __tracebackhide__ = True
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityService.{action}",
        }
        answer = requests.post(url, json=body, headers=headers, timeout=_SECONDS)
        assert answer.status_code == 200, f"{action} says {answer.status_code}"
        told: dict[str, Any] = answer.json()
        return told

    identity = ask("GetId", IdentityPoolId=settings.cognito_identity_pool_id, Logins=logins)
    found = ask("GetCredentialsForIdentity", IdentityId=identity["IdentityId"], Logins=logins)
    keys: dict[str, str] = found["Credentials"]
    return keys
