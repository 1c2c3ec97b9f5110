"""The state of a fake user pool: client, people, codes, token families and keys."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from tests.doubles.clock import Clock
from tests.doubles.double import Now, required
from tests.doubles.keys import Json, SigningKey, b64url, decode, signing_key, unb64url
from tests.doubles.message import Complaint, Request
from tests.doubles.mint import Mint, Occasion
from tests.doubles.users import User

CODE_SECONDS = 300
ADMIN_SCOPE = "aws.cognito.signin.user.admin"
# The protected header of Cognito's refresh tokens, so that a hunt for token text finds them.
REFRESH_HEADER = b64url(b'{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}')


class Refused(Exception):
    """What the pool refuses, by its OAuth or AWS code, with a sentence."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


@dataclass
class Client:
    """The application at the pool; with a secret it is a confidential client."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    redirect_uris: set[str] = field(default_factory=set)
    logout_uris: set[str] = field(default_factory=set)
    scopes: set[str] = field(
        default_factory=lambda: {"openid", "email", "profile", "phone", ADMIN_SCOPE}
    )
    second_secret: str | None = field(default=None, repr=False)
    """Cognito lets a client have two at a time (AddUserPoolClientSecret), to change from one."""
    literal_basic: bool = False
    """Whether the secret is taken to the letter inside Basic, as some pools do."""

    def authenticate(self, request: Request, form: dict[str, str]) -> None:
        """Refuse as invalid_client what is not this client (RFC 6749 2.3.1)."""
        if "client_secret" in form:
            raise Complaint(f"{request.path}: client_secret in the body instead of Basic")
        header = request.header("Authorization")
        if self.secret is None:
            required(form, "client_id", where=f"{request.path} of a public client")
            if header is not None or form["client_id"] != self.client_id:
                raise Refused("invalid_client")
            return
        if header is None:
            raise Refused("invalid_client", "no Authorization header")
        given = _basic(header, literal=self.literal_basic)
        good = [self.secret, self.second_secret] if self.second_secret else [self.secret]
        if given not in [(self.client_id, secret) for secret in good]:
            raise Refused("invalid_client", "invalid_client_secret")
        if form.get("client_id", self.client_id) != self.client_id:
            raise Refused("invalid_client")


@dataclass
class Code:
    """An authorization code."""

    occasion: Occasion
    redirect_uri: str
    challenge: str | None
    expires_at: float


@dataclass
class RefreshToken:
    """A refresh token; after a rotation the old one lives on for the grace."""

    occasion: Occasion
    dies_at: float


class UserPool:
    """One pool with one client. Lifetimes in seconds; change any attribute at any time."""

    def __init__(self, issuer: str, pool_id: str, client: Client, now: Now | None = None) -> None:
        self.issuer = issuer
        self.pool_id = pool_id
        self.client = client
        self.now: Now = now or Clock()
        self.mint = Mint(issuer, client.client_id)
        self.users: list[User] = []
        self.rotation = False
        self.rotation_grace = 0.0
        self.refresh_lifetime = 30 * 86400
        self.codes: dict[str, Code] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.occasions: list[Occasion] = []
        self._generation = 0
        self._published: list[SigningKey] = []
        self._ever: dict[str, SigningKey] = {}
        self.rotate_keys()

    @property
    def id_key(self) -> SigningKey:
        """Signs ID tokens now."""
        return signing_key(f"{self.pool_id} id {self._generation}")

    @property
    def access_key(self) -> SigningKey:
        """Signs access tokens now."""
        return signing_key(f"{self.pool_id} access {self._generation}")

    def rotate_keys(self, *, keep_old: bool = False) -> None:
        """Sign with new keys from now on; the old ones leave the key set unless kept."""
        self._generation += 1
        old = self._published if keep_old else []
        self._published = [self.id_key, self.access_key, *old]
        self._ever |= {key.kid: key for key in self._published}

    def key_set(self) -> Json:
        """The published key set (RFC 7517 5)."""
        return {"keys": [key.jwk() for key in self._published]}

    def begin(self, user: User, scope: str, nonce: str | None) -> Occasion:
        """A sign-in at this moment."""
        now = self.now()
        occasion = Occasion(user, scope, int(now), now + self.refresh_lifetime, nonce)
        self.occasions.append(occasion)
        return occasion

    def new_code(self, occasion: Occasion, redirect_uri: str, challenge: str | None) -> str:
        """A single-use code, in the shape of a UUID as Cognito's are."""
        text = secrets.token_hex(16)
        code = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
        self.codes[code] = Code(occasion, redirect_uri, challenge, self.now() + CODE_SECONDS)
        return code

    def new_refresh_token(self, occasion: Occasion) -> str:
        """A refresh token; a rotated one keeps the end of the first."""
        parts = (secrets.token_urlsafe(n) for n in (256, 12, 900, 16))
        token = ".".join((REFRESH_HEADER, *parts))
        self.refresh_tokens[token] = RefreshToken(occasion, occasion.refresh_ends_at)
        return token

    def new_tokens(self, occasion: Occasion) -> Json:
        """ID and access token with their lifetime."""
        now = self.now()
        access = self.mint.issue_access(occasion, now, self.access_key)
        return {
            "id_token": self.mint.issue_id(occasion, now, self.id_key, access),
            "access_token": access,
            "expires_in": self.mint.access_lifetime,
            "token_type": "Bearer",
        }

    def sign_in(self, user: User, scope: str = f"openid email profile {ADMIN_SCOPE}") -> Json:
        """All three tokens at once, without the walk through a browser."""
        occasion = self.begin(user, scope, None)
        return self.new_tokens(occasion) | {"refresh_token": self.new_refresh_token(occasion)}

    def read(self, token: str, use: str) -> Json:
        """The claims of a token that this pool signed; Refused for any other, or when expired.

        Revocation is not looked at: an authorizer that verifies alone cannot know of it.
        """
        try:
            header, claims = decode(token)
            text, _, signature = token.rpartition(".")
            key = self._ever[header["kid"]]
            good = header["alg"] == "RS256" and key.verify(text.encode(), unb64url(signature))
        except (ValueError, KeyError, TypeError) as error:
            raise Refused("NotAuthorizedException", "Invalid token") from error
        if not good or claims.get("iss") != self.issuer or claims.get("token_use") != use:
            raise Refused("NotAuthorizedException", "Invalid token")
        if claims["exp"] <= self.now():
            raise Refused("NotAuthorizedException", "Token expired")
        return claims

    def occasion_of(self, claims: Json) -> Occasion:
        """The living sign-in behind a token; Refused when it was revoked or the user is gone."""
        for occasion in self.occasions:
            if occasion.origin_jti == claims.get("origin_jti"):
                if occasion.revoked or not self.is_active(occasion.user):
                    raise Refused("NotAuthorizedException", "Access Token has been revoked")
                return occasion
        raise Refused("NotAuthorizedException", "Invalid token")

    def is_active(self, user: User) -> bool:
        """Whether the person is still in the pool and not disabled."""
        return user.enabled and any(user is known for known in self.users)

    def revoke_all(self, user: User) -> None:
        """GlobalSignOut: every family of this person ends that has tokens, and none to come."""
        to_come = [code.occasion for code in self.codes.values()]
        for occasion in self.occasions:
            if occasion.user is user and not any(occasion is one for one in to_come):
                occasion.revoked = True


def _basic(header: str, *, literal: bool = False) -> tuple[str, str] | None:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if literal else (unquote_plus(name), unquote_plus(password))
