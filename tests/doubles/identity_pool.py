"""A fake Cognito identity pool: identities and temporary AWS keys for ID tokens and guests."""

import uuid
from dataclasses import dataclass
from typing import Literal

from tests.doubles.double import Double, Now, required
from tests.doubles.faults import aws_error
from tests.doubles.issuer import FakeIssuer
from tests.doubles.keys import Json
from tests.doubles.message import Answer, Complaint, Request
from tests.doubles.pool import Refused
from tests.doubles.server import Server
from tests.doubles.users import AUTHENTICATED_ROLE, GUEST_ROLE
from tests.doubles.vault import IssuedKeys, Vault

SERVICE = "AWSCognitoIdentityService"
NOT_AUTHORIZED = "NotAuthorizedException"


@dataclass(frozen=True)
class Identity:
    """An identity of the pool; `sub` is None for a guest."""

    identity_id: str
    sub: str | None


class FakeIdentityPool(Double):
    """GetId and GetCredentialsForIdentity in the enhanced flow, both unsigned.

    Roles by token: the custom role if it stands in `cognito:roles`, else the preferred one, else
    the ambiguous resolution. Change any attribute at any time.
    """

    def __init__(
        self,
        issuer: FakeIssuer,
        server: Server | None = None,
        now: Now | None = None,
        *,
        vault: Vault | None = None,
        identity_pool_id: str = "us-east-1:11111111-2222-4333-8444-555555555555",
    ) -> None:
        super().__init__(server, now or issuer.now)
        self.issuer = issuer
        self.vault = vault or Vault()
        self.identity_pool_id = identity_pool_id
        self.lifetime = 3600.0
        self.guests_allowed = True
        self.guest_role = GUEST_ROLE
        self.authenticated_role = AUTHENTICATED_ROLE
        self.ambiguous: Literal["AuthenticatedRole", "Deny"] = "AuthenticatedRole"
        self.server_side_token_check = False
        self.identities: dict[str, Identity] = {}
        self.get_id = self.serve_action(f"{SERVICE}.GetId", self._get_id)
        self.get_credentials = self.serve_action(
            f"{SERVICE}.GetCredentialsForIdentity", self._get_credentials
        )

    def forget_identities(self) -> None:
        """Delete every identity: the next exchange answers ResourceNotFoundException."""
        with self.lock:
            self.identities.clear()

    def _get_id(self, request: Request) -> Answer:
        fields = request.json()
        required(fields, "IdentityPoolId", where="GetId")
        if fields["IdentityPoolId"] != self.identity_pool_id:
            raise Complaint(f"GetId: no identity pool {fields['IdentityPoolId']!r}")
        try:
            claims = self._logins(fields)
        except Refused as refused:
            return aws_error(refused.code, refused.text)
        sub = None if claims is None else str(claims["sub"])
        known = [i for i in self.identities.values() if sub is not None and i.sub == sub]
        identity = known[0] if known else Identity(f"{self.issuer.region}:{uuid.uuid4()}", sub)
        self.identities[identity.identity_id] = identity
        return Answer.of_json({"IdentityId": identity.identity_id})

    def _get_credentials(self, request: Request) -> Answer:
        fields = request.json()
        required(fields, "IdentityId", where="GetCredentialsForIdentity")
        identity = self.identities.get(fields["IdentityId"])
        if identity is None:
            text = f"Identity '{fields['IdentityId']}' not found."
            return aws_error("ResourceNotFoundException", text)
        try:
            claims = self._logins(fields)
            if identity.sub != (None if claims is None else claims["sub"]):
                text = f"Access to Identity '{identity.identity_id}' is forbidden."
                raise Refused(NOT_AUTHORIZED, text)
            role = self._role(claims, fields.get("CustomRoleArn"))
        except Refused as refused:
            return aws_error(refused.code, refused.text)
        expires_at = self.now() + self.lifetime
        keys = self.vault.issue(identity.identity_id, role, sub=identity.sub, expires_at=expires_at)
        return Answer.of_json(_document(keys))

    def _logins(self, fields: Json) -> Json | None:
        """The claims of the one login, None for a guest; Refused as AWS refuses."""
        logins = fields.get("Logins")
        if not logins:
            if not self.guests_allowed:
                text = "Unauthenticated access is not supported for this identity pool."
                raise Refused(NOT_AUTHORIZED, text)
            return None
        if list(logins) != [self.issuer.provider_name]:
            text = "Token is not from a supported provider of this identity pool."
            raise Refused(NOT_AUTHORIZED, text)
        pool = self.issuer.pool
        try:
            claims = pool.read(logins[self.issuer.provider_name], "id")
            if claims.get("aud") != pool.client.client_id:
                raise Refused(NOT_AUTHORIZED, "Incorrect token audience.")
            if self.server_side_token_check:
                pool.occasion_of(claims)
        except Refused as refused:
            raise Refused(NOT_AUTHORIZED, f"Invalid login token. {refused.text}") from refused
        return claims

    def _role(self, claims: Json | None, custom: str | None) -> str:
        if claims is None:
            if custom is not None:
                raise Refused(NOT_AUTHORIZED, "A guest cannot choose a role.")
            return self.guest_role
        roles = claims.get("cognito:roles", [])
        if custom is not None:
            if custom not in roles:
                raise Refused(NOT_AUTHORIZED, "Invalid CustomRoleArn.")
            return custom
        preferred = claims.get("cognito:preferred_role")
        if preferred is not None:
            return str(preferred)
        if self.ambiguous == "Deny":
            raise Refused(NOT_AUTHORIZED, "Token does not match any role mapping.")
        return self.authenticated_role


def _document(keys: IssuedKeys) -> Json:
    return {
        "Credentials": {
            "AccessKeyId": keys.access_key,
            "Expiration": keys.expires_at,
            "SecretKey": keys.secret_key,
            "SessionToken": keys.session_token,
        },
        "IdentityId": keys.identity_id,
    }
