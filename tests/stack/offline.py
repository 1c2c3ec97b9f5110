"""The provisioned offline AWS as tests use it: settings, people, mail."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from infra.facts import Stack
from infra.local.provision import provision
from infra.local.screen import MAIL_PATH
from tests.stack.world import Offline

APP_BASE_URL = "http://localhost:8000"


@dataclass(frozen=True)
class Mail:
    """One mail that Cognito sent; `code` is the six digits in it, or ""."""

    subject: str
    text: str
    code: str


@dataclass(frozen=True)
class User:
    """A person who can sign in."""

    email: str
    password: str


@dataclass(frozen=True)
class OfflineAws:
    """The running, provisioned stack.

    `environment` holds the application's settings of SPEC section 3 (no SECRET_KEY).
    """

    aws: Offline
    stack: Stack
    environment: Mapping[str, str]

    @classmethod
    def provisioned(cls, aws: Offline, stack: Stack, app_base_url: str) -> "OfflineAws":
        """Provision the stack on this server."""
        made = provision(aws.endpoint, stack, app_base_url)
        return cls(aws=aws, stack=stack, environment=dict(made.environment()))

    @property
    def endpoint(self) -> str:
        """The server's origin."""
        return self.aws.endpoint

    @property
    def pool_id(self) -> str:
        """The user pool's id."""
        return self.environment["COGNITO_USER_POOL_ID"]

    def demo_user(self, email: str) -> User:
        """Return one of the demo's people; shared, so change nothing about them."""
        user = next(user for user in self.stack.demo.users if user.email == email)
        demo = self.stack.demo
        password = demo.temporary_password if user.must_change_password else demo.password
        return User(email, password)

    def new_user(self, *groups: str, temporary: bool = False) -> User:
        """Create a person of this test's own, in these groups."""
        demo = self.stack.demo
        password = demo.temporary_password if temporary else demo.password
        user = User(f"user-{secrets.token_hex(4)}@example.com", password)
        idp = self.aws.client("cognito-idp")
        username = idp.admin_create_user(
            UserPoolId=self.pool_id,
            Username=user.email,
            MessageAction="SUPPRESS",
            TemporaryPassword=password,
            UserAttributes=[
                {"Name": "email", "Value": user.email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )["User"]["Username"]
        if not temporary:
            idp.admin_set_user_password(
                UserPoolId=self.pool_id, Username=username, Password=password, Permanent=True
            )
        for group in groups:
            idp.admin_add_user_to_group(UserPoolId=self.pool_id, Username=username, GroupName=group)
        return user

    def mails(self, to: str) -> list[Mail]:
        """Return the mails to one address, newest first."""
        url = f"{self.endpoint}{MAIL_PATH}.json"
        found = requests.get(url, params={"to": to}, timeout=20).json()["messages"]
        return [Mail(mail["subject"], mail["text"], mail["code"]) for mail in found]
