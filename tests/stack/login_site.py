"""A user pool like the demo's, and people who walk through its Managed Login pages."""

import base64
import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.doubles import Browser, Response
from tests.stack.world import API_SCOPE, CALLBACK, Offline

PASSWORD = "Portico-test-1"
OTHER_PASSWORD = "Portico-test-2"
TEMPORARY = "Portico-first-1"
HOME = "http://localhost:8000/"
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


@dataclass
class Site:
    """A user pool of one test's own: mail address as name, twelve characters, optional TOTP."""

    aws: Offline
    mfa: str = "OPTIONAL"
    only_admins_create: bool = False
    tag: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        self.idp = self.aws.client("cognito-idp")
        required = ("Uppercase", "Lowercase", "Numbers", "Symbols")
        policy = {"MinimumLength": 12, **{f"Require{name}": True for name in required}}
        self.pool_id = self.idp.create_user_pool(
            PoolName=f"login-{self.tag}",
            UsernameAttributes=["email"],
            UsernameConfiguration={"CaseSensitive": False},
            AutoVerifiedAttributes=["email"],
            AdminCreateUserConfig={"AllowAdminCreateUserOnly": self.only_admins_create},
            Policies={"PasswordPolicy": policy},
        )["UserPool"]["Id"]
        self.idp.set_user_pool_mfa_config(
            UserPoolId=self.pool_id,
            SoftwareTokenMfaConfiguration={"Enabled": True},
            MfaConfiguration=self.mfa,
        )
        self.client_id = self.add_client()

    def add_client(self) -> str:
        """Return the id of one more public client."""
        made = self.idp.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName="Test application",
            ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
            AllowedOAuthFlows=["code"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["openid", "email", "profile", API_SCOPE],
            CallbackURLs=[CALLBACK, f"{CALLBACK}/other"],
            LogoutURLs=[HOME],
        )
        return str(made["UserPoolClient"]["ClientId"])

    def address(self, name: str = "ada") -> str:
        """Return a mail address that only this test uses."""
        return f"{name}-{self.tag}@example.com"

    def add_user(self, name: str = "ada", *, temporary: bool = False) -> str:
        """Create a person; return the mail address they sign in with."""
        email = self.address(name)
        self.idp.admin_create_user(
            UserPoolId=self.pool_id,
            Username=email,
            MessageAction="SUPPRESS",
            TemporaryPassword=TEMPORARY,
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        if not temporary:
            self.idp.admin_set_user_password(
                UserPoolId=self.pool_id, Username=email, Password=PASSWORD, Permanent=True
            )
        return email

    def disable(self, email: str) -> None:
        """Disable a person."""
        self.idp.admin_disable_user(UserPoolId=self.pool_id, Username=email)

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Return the mails to one address from the offline mailbox, newest first."""
        answer = requests.get(f"{self.aws.endpoint}/mailbox.json", params={"to": to}, timeout=20)
        mails: list[dict[str, Any]] = answer.json()["messages"]
        return mails

    def redeem(self, code: str, **changed: str) -> requests.Response:
        """Exchange an authorization code; `changed` replaces fields of the right request."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "code": code,
            "code_verifier": VERIFIER,
        }
        return requests.post(
            f"{self.aws.endpoint}/oauth2/token", data={**form, **changed}, timeout=20
        )

    def visitor(self) -> "Visitor":
        """Return a person with a fresh browser."""
        return Visitor(self.aws, self.client_id)


class Visitor:
    """A browser at Managed Login; every page that it sees is inspected."""

    def __init__(self, aws: Offline, client_id: str) -> None:
        self.client_id = client_id
        self.browser = Browser.over_http(aws.endpoint)

    def ask(self, path: str = "/oauth2/authorize", /, **changed: str | None) -> Response:
        """Come from the application; `changed` adds, replaces or (None) drops a parameter."""
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid email",
            "state": "st-1",
            "nonce": "no-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        pairs = [(name, value) for name, value in query.items() if value is not None]
        return self.browser.get(f"{path}?{urlencode(pairs)}", site="cross-site")

    def form(self, **changed: str | None) -> Response:
        """Come from the application and see the sign-in form."""
        return self.browser.follow(self.ask(**changed))

    def fill(self, page: Response, path: str, **fields: str) -> Response:
        """Send the page's form that goes to `path`; return the answer, no redirect followed."""
        form = page.page.form(path)
        unknown = fields.keys() - form.fields.keys()
        assert not unknown, f"{path} has no field {unknown}"
        return self.browser.post(form.action, {**form.fields, **fields})

    def next_page(self, page: Response, path: str, **fields: str) -> Response:
        """Send a form and follow the redirect to the next page of Managed Login."""
        return self.browser.follow(self.fill(page, path, **fields))

    def enter(self, email: str, password: str = PASSWORD, **changed: str | None) -> Response:
        """Fill in the sign-in form; return the answer."""
        return self.fill(self.form(**changed), "/login", username=email, password=password)


def callback_of(response: Response) -> Mapping[str, str]:
    """Return what a redirect brings to the application's callback."""
    location = response.location
    assert location.startswith(f"{CALLBACK}?"), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def path_of(response: Response) -> str:
    """Return the path that a redirect leads to."""
    return urlsplit(response.location).path


def totp(secret: str) -> str:
    """Return the code that an authenticator app shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
