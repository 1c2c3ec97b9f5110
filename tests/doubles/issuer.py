"""A fake OpenID Connect issuer in the shape of a Cognito user pool."""

from urllib.parse import urlsplit

from tests.doubles import authorize, grants
from tests.doubles.double import Double, Now, required
from tests.doubles.faults import aws_error
from tests.doubles.keys import Json
from tests.doubles.message import Answer, Complaint, Request
from tests.doubles.mint import Mint
from tests.doubles.pool import ADMIN_SCOPE, Client, Refused, UserPool
from tests.doubles.server import Server
from tests.doubles.users import User

IDP = "AWSCognitoIdentityProviderService"


class FakeIssuer(Double):
    """Discovery, key set, sign-in, tokens, userInfo, revocation, sign-out, and three API calls.

    Refusals of the protocol are quiet answers (invalid_grant and its family). What a right client
    never sends is loud: see `Server.complaints`.
    """

    def __init__(
        self,
        server: Server | None = None,
        now: Now | None = None,
        *,
        client_id: str = "portico0client0id000000000",
        client_secret: str | None = None,
        region: str = "us-east-1",
        pool_id: str = "us-east-1_Portico01",
    ) -> None:
        super().__init__(server, now)
        self.region = region
        issuer = f"{self.server.origin}/{pool_id}"
        self.pool = UserPool(issuer, pool_id, Client(client_id, client_secret), self.now)
        self.require_pkce = True
        self.arriving: User | None = None
        """Who is signed in at the pool when a real browser comes to /oauth2/authorize."""
        known = f"/{pool_id}/.well-known"
        self.discovery = self.serve(
            "discovery", "GET", f"{known}/openid-configuration", lambda _: self._document()
        )
        self.jwks = self.serve(
            "jwks", "GET", f"{known}/jwks.json", lambda _: Answer.of_json(self.pool.key_set())
        )
        self.authorize = self.serve("authorize", "GET", "/oauth2/authorize", self._authorize)
        self.logout = self.serve("logout", "GET", "/logout", self._logout)
        self.token = self.serve(
            "token",
            "POST",
            "/oauth2/token",
            lambda request: grants.token(self.pool, request, require_pkce=self.require_pkce),
        )
        self.revoke = self.serve(
            "revoke", "POST", "/oauth2/revoke", lambda request: grants.revoke(self.pool, request)
        )
        self.user_info = self.serve("userInfo", "GET POST", "/oauth2/userInfo", self._user_info)
        self.global_sign_out = self.serve_action(f"{IDP}.GlobalSignOut", self._global_sign_out)
        self.get_user = self.serve_action(f"{IDP}.GetUser", self._get_user)
        self.revoke_token = self.serve_action(f"{IDP}.RevokeToken", self._revoke_token)

    @property
    def issuer(self) -> str:
        """The exact `iss`."""
        return self.pool.issuer

    @property
    def mint(self) -> Mint:
        """The hooks by which tokens are falsified."""
        return self.pool.mint

    @property
    def provider_name(self) -> str:
        """The key under which an identity pool takes this pool's ID tokens."""
        return f"cognito-idp.{self.region}.amazonaws.com/{self.pool.pool_id}"

    def add(self, *users: User) -> None:
        """Put people into the pool."""
        self.pool.users.extend(users)

    def heal(self) -> None:
        """Drop every fault and every token hook."""
        super().heal()
        self.mint.heal()

    def approve(self, location: str, user: User) -> str:
        """Play the browser at the pool: this person signs in; returns the callback URL."""
        with self.lock:
            fields = self._arrive(location)
            return authorize.authorize(self.pool, fields, user, require_pkce=self.require_pkce)

    def decline(
        self, location: str, error: str = "access_denied", description: str | None = None
    ) -> str:
        """Play the browser at the pool: it ends in this error; returns the callback URL."""
        fields = self._arrive(location)
        return authorize.refusal(fields["redirect_uri"], fields["state"], error, description)

    def leave(self, location: str) -> str:
        """Play the browser at /logout; returns where it is sent."""
        parts = urlsplit(location)
        if location.split("?")[0] != f"{self.server.origin}/logout":
            raise Complaint(f"{location[:200]!r} is not the pool's /logout")
        request = Request("GET", f"{parts.path}?{parts.query}", (), b"")
        self.logout.note(request)
        return self._logout(request).header("Location") or ""

    def grants(self, grant_type: str | None = None) -> list[dict[str, str]]:
        """The forms that came to the token endpoint, all or those of one grant."""
        forms = [request.form() for request in self.token.requests]
        return [form for form in forms if grant_type in (None, form.get("grant_type"))]

    def _arrive(self, location: str) -> dict[str, str]:
        parts = urlsplit(location)
        if location.split("?")[0] != f"{self.server.origin}/oauth2/authorize":
            raise Complaint(f"{location[:200]!r} is not the pool's /oauth2/authorize")
        request = Request("GET", f"{parts.path}?{parts.query}", (), b"")
        self.authorize.note(request)
        return request.query_fields()

    def _document(self) -> Answer:
        origin = self.server.origin
        document: Json = {
            "authorization_endpoint": f"{origin}/oauth2/authorize",
            "end_session_endpoint": f"{origin}/logout",
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
            "response_types_supported": ["code", "token"],
            "revocation_endpoint": f"{origin}/oauth2/revoke",
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
            "token_endpoint": f"{origin}/oauth2/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "userinfo_endpoint": f"{origin}/oauth2/userInfo",
        }
        return Answer.of_json(document)

    def _authorize(self, request: Request) -> Answer:
        fields = request.query_fields()
        user = self.arriving
        if user is None and fields.get("prompt") != "none":
            hint = fields.get("login_hint")
            hinted = [u for u in self.pool.users if hint in (u.email, u.username)]
            user = next(iter(hinted or self.pool.users), None)
            if user is None:
                raise Complaint("/oauth2/authorize: nobody is in the pool")
        return Answer.see_other(
            authorize.authorize(self.pool, fields, user, require_pkce=self.require_pkce)
        )

    def _logout(self, request: Request) -> Answer:
        self.arriving = None
        target = f"{self.server.origin}/oauth2/authorize"
        return Answer.see_other(authorize.leave(self.pool, request.query_fields(), target))

    def _user_info(self, request: Request) -> Answer:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Complaint("/oauth2/userInfo: no bearer token")
        if request.query:
            raise Complaint("/oauth2/userInfo: a query, where none belongs")
        try:
            user = self.pool.occasion_of(self._scoped(token, "openid")).user
        except Refused as refused:
            challenge = f'Bearer error="invalid_token", error_description="{refused.text}"'
            document = {"error": "invalid_token", "error_description": refused.text}
            return Answer.of_json(document, 401, [("WWW-Authenticate", challenge)])
        # Cognito writes booleans of userInfo as text.
        verified = str(user.email_verified).lower()
        document = {"sub": user.sub, "email_verified": verified, "email": user.email}
        return Answer.of_json(document | {"username": user.username} | user.claims)

    def _scoped(self, token: str, scope: str) -> Json:
        claims = self.pool.read(token, "access")
        if scope not in str(claims.get("scope")).split():
            raise Refused("NotAuthorizedException", "Access Token does not have required scopes")
        return claims

    def _global_sign_out(self, request: Request) -> Answer:
        fields = request.json()
        required(fields, "AccessToken", where="GlobalSignOut")
        try:
            claims = self._scoped(fields["AccessToken"], ADMIN_SCOPE)
            self.pool.revoke_all(self.pool.occasion_of(claims).user)
        except Refused as refused:
            return aws_error(refused.code, refused.text)
        return Answer.of_json({})

    def _get_user(self, request: Request) -> Answer:
        fields = request.json()
        required(fields, "AccessToken", where="GetUser")
        try:
            claims = self._scoped(fields["AccessToken"], ADMIN_SCOPE)
            user = self.pool.occasion_of(claims).user
        except Refused as refused:
            return aws_error(refused.code, refused.text)
        attributes = {
            "sub": user.sub,
            "email": user.email,
            "email_verified": str(user.email_verified).lower(),
        }
        listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
        return Answer.of_json({"Username": user.username, "UserAttributes": listed})

    def _revoke_token(self, request: Request) -> Answer:
        fields = request.json()
        required(fields, "Token", "ClientId", where="RevokeToken")
        client = self.pool.client
        if (fields["ClientId"], fields.get("ClientSecret")) != (client.client_id, client.secret):
            return aws_error("UnauthorizedException", "Invalid client")
        if fields["Token"].count(".") == 2:
            return aws_error("UnsupportedTokenTypeException", "Not a refresh token")
        known = self.pool.refresh_tokens.get(fields["Token"])
        if known is not None:
            known.occasion.revoked = True
        return Answer.of_json({})
