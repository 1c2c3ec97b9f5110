"""A small world of its own on the offline AWS: what a test needs, made with plain boto3."""

import base64
import io
import json
import secrets
import zipfile
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
import requests
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

REGION = "us-east-1"
ACCOUNT = "000000000000"
PASSWORD = "Portico-test-1"
CALLBACK = "http://localhost:8000/callback"
API_SCOPE = "aws.cognito.signin.user.admin"

# Answers with the event's requestContext, so that a test sees what a real Lambda would see.
_ECHO = """
import json
def handle(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"])}
"""


def _session() -> boto3.Session:
    """A session that no profile of the developer's steers."""
    core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(region_name=REGION, botocore_session=core)


@dataclass(frozen=True)
class Offline:
    """One running offline AWS and clients for it."""

    endpoint: str

    def client(self, service: str, keys: dict[str, str] | None = None) -> Any:
        """Return a boto3 client: root by default, as somebody with these vended keys otherwise."""
        return _session().client(
            service,
            endpoint_url=self.endpoint,
            config=Config(proxies={}),
            aws_access_key_id=keys["AccessKeyId"] if keys else "test",
            aws_secret_access_key=keys["SecretKey"] if keys else "test",
            aws_session_token=keys["SessionToken"] if keys else None,
        )

    def public(self, service: str) -> Any:
        """Return a client that signs nothing, for the public calls of Cognito."""
        config = Config(signature_version=UNSIGNED, proxies={})
        return _session().client(service, endpoint_url=self.endpoint, config=config)


@dataclass(frozen=True)
class Tokens:
    """The answer of the token endpoint."""

    access: str
    id: str
    refresh: str

    @classmethod
    def of(cls, answer: dict[str, str]) -> "Tokens":
        """Read an answer; a refresh token that is not sent is ""."""
        return cls(answer["access_token"], answer["id_token"], answer.get("refresh_token", ""))


@dataclass
class World:
    """A user pool with one client, an identity pool, and roles, all of this test's own."""

    aws: Offline
    tag: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        self.idp = self.aws.client("cognito-idp")
        self.identity = self.aws.client("cognito-identity")
        self.iam = self.aws.client("iam")
        self.pool_id = self.idp.create_user_pool(
            PoolName=f"pool-{self.tag}",
            Policies={"PasswordPolicy": {"MinimumLength": 8}},
        )["UserPool"]["Id"]
        self.client_id = self.add_client()
        self.provider = f"cognito-idp.{REGION}.amazonaws.com/{self.pool_id}"

    def add_client(self, **settings: Any) -> str:
        """Return the id of a new public client for the code flow."""
        given = {
            "ClientName": "test",
            "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"],
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthScopes": ["openid", "email", "profile", API_SCOPE],
            "CallbackURLs": [CALLBACK],
            "LogoutURLs": ["http://localhost:8000/"],
            **settings,
        }
        answer = self.idp.create_user_pool_client(UserPoolId=self.pool_id, **given)
        return str(answer["UserPoolClient"]["ClientId"])

    def add_role(self, name: str, *, trust: str = "authenticated", audience: str = "*") -> str:
        """Return the ARN of a role that an identity pool may hand out."""
        condition = {
            "StringLike": {"cognito-identity.amazonaws.com:aud": audience},
            "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": trust},
        }
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = self.iam.create_role(RoleName=f"{name}-{self.tag}", AssumeRolePolicyDocument=policy)
        return str(role["Role"]["Arn"])

    def allow(self, role_arn: str, resource: str) -> None:
        """Let a role call execute-api on one resource pattern."""
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
        self.iam.put_role_policy(
            RoleName=role_arn.rpartition("/")[2],
            PolicyName="invoke",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def add_group(self, name: str, role_arn: str | None = None, **settings: Any) -> None:
        """Create a group; no Precedence unless given."""
        if role_arn is not None:
            settings["RoleArn"] = role_arn
        self.idp.create_group(UserPoolId=self.pool_id, GroupName=name, **settings)

    def add_user(self, name: str = "ada", groups: tuple[str, ...] = ()) -> str:
        """Create a confirmed person in these groups; return the username."""
        email = f"{name}@example.com"
        self.idp.admin_create_user(
            UserPoolId=self.pool_id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        self.idp.admin_set_user_password(
            UserPoolId=self.pool_id, Username=name, Password=PASSWORD, Permanent=True
        )
        for group in groups:
            self.idp.admin_add_user_to_group(
                UserPoolId=self.pool_id, Username=name, GroupName=group
            )
        return name

    def sign_in(self, name: str = "ada", client_id: str | None = None) -> Tokens:
        """Sign in through the user pool API, with tokens of the admin scope only."""
        result = self.idp.admin_initiate_auth(
            UserPoolId=self.pool_id,
            ClientId=client_id or self.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        return Tokens(result["AccessToken"], result["IdToken"], result["RefreshToken"])

    def add_identity_pool(
        self,
        roles: dict[str, str],
        *,
        guests: bool = True,
        check: bool = False,
        mappings: dict[str, Any] | None = None,
    ) -> str:
        """Return the id of an identity pool over the user pool, with these roles."""
        provider = {
            "ProviderName": self.provider,
            "ClientId": self.client_id,
            "ServerSideTokenCheck": check,
        }
        pool_id = self.identity.create_identity_pool(
            IdentityPoolName=f"pool-{self.tag}",
            AllowUnauthenticatedIdentities=guests,
            CognitoIdentityProviders=[provider],
        )["IdentityPoolId"]
        self.identity.set_identity_pool_roles(
            IdentityPoolId=pool_id, Roles=roles, RoleMappings=mappings or {}
        )
        return str(pool_id)

    def mapping(self, **entry: Any) -> dict[str, Any]:
        """Return RoleMappings for this pool's client."""
        return {f"{self.provider}:{self.client_id}": entry}

    def credentials(
        self, identity_pool_id: str, id_token: str | None = None, **extra: str
    ) -> dict[str, str]:
        """Exchange an ID token, or nothing for a guest, for AWS credentials."""
        logins = {self.provider: id_token} if id_token else {}
        public = self.aws.public("cognito-identity")
        identity = public.get_id(IdentityPoolId=identity_pool_id, Logins=logins)["IdentityId"]
        answer = public.get_credentials_for_identity(IdentityId=identity, Logins=logins, **extra)
        keys: dict[str, str] = answer["Credentials"]
        return keys

    def role_name(self, keys: dict[str, str]) -> str:
        """Return whose role STS sees behind these keys, without this world's tag."""
        arn = self.aws.client("sts", keys).get_caller_identity()["Arn"]
        return str(arn).split("/")[1].removesuffix(f"-{self.tag}")

    def add_function(self, name: str, source: str) -> str:
        """Return the ARN of a function whose `handle` stands in this source."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr(f"{name}.py", source)
        made = self.aws.client("lambda").create_function(
            FunctionName=f"{name}-{self.tag}",
            Runtime="python3.11",
            Handler=f"{name}.handle",
            Role=self.add_role("lambda"),
            Code={"ZipFile": archive.getvalue()},
        )
        return str(made["FunctionArn"])

    def add_api(self, authorization: str = "AWS_IAM") -> tuple[str, str]:
        """Return (base URL, ARN prefix) of an HTTP API whose GET /echo answers its context."""
        function = self.add_function("echo", _ECHO)
        gateway = self.aws.client("apigatewayv2")
        api_id = gateway.create_api(Name=f"api-{self.tag}", ProtocolType="HTTP")["ApiId"]
        integration = gateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=function,
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        gateway.create_route(
            ApiId=api_id,
            RouteKey="GET /echo",
            AuthorizationType=authorization,
            Target=f"integrations/{integration}",
        )
        gateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        base = f"{self.aws.endpoint}/_aws/execute-api/{api_id}/$default"
        return base, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api_id}"


def signed_get(url: str, keys: dict[str, str], *, spoil: bool = False) -> requests.Response:
    """GET with a SigV4 signature for execute-api; `spoil` breaks it."""
    credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    request = AWSRequest(method="GET", url=url)
    SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
    headers = dict(request.headers.items())
    if spoil:
        head, _, signature = headers["Authorization"].rpartition("=")
        headers["Authorization"] = f"{head}={signature[::-1]}"
    return requests.get(url, headers=headers, timeout=20)


def claims_of(token: str) -> dict[str, Any]:
    """Return a token's claims, unverified."""
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def error_code(call: Any, *args: Any, **kwargs: Any) -> str:
    """Return the AWS error code that a call ends with, or "" when it succeeds."""
    try:
        call(*args, **kwargs)
    except botocore.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""
