"""Everybody who may call the API of the provisioned stack: nobody, guest, people, bearers."""

import base64
import functools
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import requests
from requests_aws4auth import AWS4Auth

from tests.stack.offline import OfflineAws


@dataclass(frozen=True)
class Signature:
    """Signs as the holder of vended credentials."""

    keys: dict[str, str]
    region: str

    def auth(self) -> AWS4Auth:
        """Return what requests needs to sign for execute-api."""
        return AWS4Auth(
            self.keys["AccessKeyId"],
            self.keys["SecretKey"],
            self.region,
            "execute-api",
            session_token=self.keys["SessionToken"],
        )


class Callers:
    """Signs people in once and calls the API as anybody."""

    def __init__(self, offline: OfflineAws) -> None:
        self._offline = offline
        self._settings = offline.environment
        self.provider = f"cognito-idp.{offline.stack.region}.amazonaws.com/{offline.pool_id}"
        self.tokens = functools.cache(self._sign_in)
        self.keys = functools.cache(self._exchange)

    def call(
        self,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        auth: Any = None,
        method: str = "GET",
        body: str | None = None,
    ) -> requests.Response:
        """Call a path of the API."""
        url = self._settings["API_ENDPOINT"] + path
        return requests.request(method, url, headers=headers, auth=auth, data=body, timeout=20)

    def signed(
        self,
        path: str,
        email: str | None,
        *,
        token_of: str | None = None,
        role: str | None = None,
        method: str = "GET",
        body: str | None = None,
    ) -> requests.Response:
        """Call a path with somebody's credentials (None: a guest's) and somebody's ID token."""
        headers = {}
        if token_of is not None:
            headers["X-Cognito-Id-Token"] = self.tokens(token_of)["IdToken"]
        signature = Signature(self.keys(email, role), self._offline.stack.region)
        return self.call(path, headers=headers, auth=signature.auth(), method=method, body=body)

    def bearer(self, path: str, email: str, kind: str) -> requests.Response:
        """GET a path with a bearer token; `kind` is AccessToken or IdToken."""
        token = self.tokens(email)[kind]
        return self.call(path, headers={"Authorization": f"Bearer {token}"})

    def role_arn(self, key: str) -> str:
        """Return the ARN of a role by its key in stack.yaml."""
        role = self._offline.aws.client("iam").get_role(RoleName=self._offline.stack.resource(key))
        return str(role["Role"]["Arn"])

    def _sign_in(self, email: str) -> dict[str, str]:
        client_id = self._settings["COGNITO_CLIENT_ID"]
        secret = self._settings["COGNITO_CLIENT_SECRET"].encode()
        digest = hmac.new(secret, f"{email}{client_id}".encode(), hashlib.sha256).digest()
        answer = self._offline.aws.client("cognito-idp").admin_initiate_auth(
            UserPoolId=self._offline.pool_id,
            ClientId=client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={
                "USERNAME": email,
                "PASSWORD": self._offline.demo_user(email).password,
                "SECRET_HASH": base64.b64encode(digest).decode(),
            },
        )
        tokens: dict[str, str] = answer["AuthenticationResult"]
        return tokens

    def _exchange(self, email: str | None, role: str | None = None) -> dict[str, str]:
        public = self._offline.aws.public("cognito-identity")
        logins = {} if email is None else {self.provider: self.tokens(email)["IdToken"]}
        extra = {} if role is None else {"CustomRoleArn": self.role_arn(role)}
        pool_id = self._settings["COGNITO_IDENTITY_POOL_ID"]
        identity = public.get_id(IdentityPoolId=pool_id, Logins=logins)["IdentityId"]
        answer = public.get_credentials_for_identity(IdentityId=identity, Logins=logins, **extra)
        keys: dict[str, str] = answer["Credentials"]
        return keys
