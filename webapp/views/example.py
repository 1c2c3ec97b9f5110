"""A session that nobody had: what /how-it-works shows to somebody who is not signed in.

The names are those that AWS and RFC 2606 keep for examples. It is told by the same code as a real
one, so it cannot say what a real one does not.
"""

from webapp.flow import Hop, noted
from webapp.records import AwsKeys, Claims, Person, SessionRecord, TokenSet
from webapp.signin.doorway import Known
from webapp.views.journal import Holding

BEGUN = 1_767_258_000  # 2026-01-01 09:00:00 UTC
REGION = "us-east-1"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_EXAMPLE"
DOMAIN = f"https://example.auth.{REGION}.amazoncognito.com"
CLIENT = "1h57kf5cpq17m0eml12EXAMPLE"
SUBJECT = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"
IDENTITY = f"{REGION}:a1b2c3d4-5678-90ab-cdef-EXAMPLE22222"
ROLE = "arn:aws:iam::111122223333:role/example-admin"
KNOWN = Known(
    issuer=ISSUER,
    client_id=CLIENT,
    redirect_uri="https://portal.example.com/callback",
    signed_out_uri="https://portal.example.com/",
    scopes=("openid", "email", "profile"),
    confidential=True,
    authorize=f"{DOMAIN}/oauth2/authorize",
    keys=f"{ISSUER}/.well-known/jwks.json",
)
_BOTH: Claims = {
    "sub": SUBJECT,
    "iss": ISSUER,
    "cognito:groups": ["Admin"],
    "origin_jti": "a1b2c3d4-5678-90ab-cdef-EXAMPLE33333",
    "auth_time": BEGUN,
    "iat": BEGUN,
    "exp": BEGUN + 3600,
}
ID_TOKEN: Claims = _BOTH | {
    "aud": CLIENT,
    "token_use": "id",
    "email": "ana@example.com",
    "nonce": "example",
    "at_hash": "example-hash-of-16-byt",
    "cognito:preferred_role": ROLE,
}
ACCESS_TOKEN: Claims = _BOTH | {"client_id": CLIENT, "token_use": "access", "scope": "openid email"}
_HOPS = (
    Hop("left", BEGUN - 21),
    Hop("back", BEGUN + 0.1),
    Hop("code", BEGUN + 0.1, 84.0),
    Hop("keys", BEGUN + 0.2, 61.0, "fetched"),
    Hop("checks", BEGUN + 0.25, 0.3),
    Hop("identity", BEGUN + 30, 45.0),
    Hop("credentials", BEGUN + 30.05, 72.0, "example-admin"),
    Hop("refresh", BEGUN + 3400, 66.0, "rotated"),
)


def example() -> Holding:
    """The example, whole."""
    keys = AwsKeys(IDENTITY, "", "", "", BEGUN, BEGUN + 3600, ROLE)
    record = SessionRecord(
        created_at=BEGUN,
        seen_at=BEGUN,
        person=Person(ISSUER, SUBJECT, "ana", "ana@example.com", "Ana"),
        tokens=TokenSet("", "", "", BEGUN, BEGUN + 3600),
        user_keys=keys,
        identity_id=IDENTITY,
    )
    return Holding(
        record=noted(record, _HOPS),
        id_token=ID_TOKEN,
        access_token=ACCESS_TOKEN,
        key_ids=("example-id-key", "example-access-key"),
        known=KNOWN,
    )
