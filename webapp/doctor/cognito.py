"""The settings held against the user pool, its client and the identity pool, as AWS describes them.

Pure: each function takes what an AWS call gave and returns findings. Sources: the responses of
DescribeUserPool, DescribeUserPoolClient, DescribeUserPoolDomain, ListGroups, DescribeIdentityPool
and GetIdentityPoolRoles.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp.doctor.findings import Finding, change, fine, needed

Described = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the application goes by. `login_key` is the identity pool's name for the user pool."""

    base_url: str
    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: tuple[str, ...]
    providers: tuple[str, ...]
    login_key: str


def user_pool(pool: Described) -> Iterator[Finding]:
    """Tier and protection of the user pool."""
    tier = str(pool.get("UserPoolTier", "ESSENTIALS"))
    yield needed(
        "user pool: feature plan",
        tier in ("ESSENTIALS", "PLUS"),
        tier,
        f"{tier}, which has no Managed Login and no refresh token rotation",
        "Set the user pool's feature plan to Essentials.",
    )


def domain(described: Described) -> Iterator[Finding]:
    """Where people sign in, and by which generation of pages."""
    about = "Managed Login: domain"
    if not described:
        yield change(
            about, "the user pool has none", "Add a domain (prefix or custom) to the pool."
        )
        return
    version = described.get("ManagedLoginVersion", 1)
    yield needed(
        about,
        version == 2,
        f"{described.get('Domain')}, Managed Login",
        f"{described.get('Domain')} serves the classic pages, which know no prompt and no lang",
        "Set the domain's branding version to Managed Login (ManagedLoginVersion 2).",
    )


def client(described: Described, wanted: Wanted) -> Iterator[Finding]:
    """Everything about the app client that a sign-in or a sign-out takes."""
    callback, back = f"{wanted.base_url}/callback", f"{wanted.base_url}/"
    yield _listed("app client: callback address", described, "CallbackURLs", callback)
    yield _listed("app client: sign-out address", described, "LogoutURLs", back)
    flows = described.get("AllowedOAuthFlows", [])
    yield needed(
        "app client: flow",
        bool(described.get("AllowedOAuthFlowsUserPoolClient")) and "code" in flows,
        "authorization code",
        f"{', '.join(flows) or 'none'} is on, authorization code is not",
        "Turn on the OAuth flow `code` (AllowedOAuthFlowsUserPoolClient true).",
    )
    if "implicit" in flows:
        yield change(
            "app client: implicit flow",
            "is on, and puts tokens into addresses",
            "Turn the OAuth flow `implicit` off; nothing here uses it.",
        )
    missing = [one for one in wanted.scopes if one not in described.get("AllowedOAuthScopes", [])]
    yield needed(
        "app client: scopes",
        not missing,
        " ".join(wanted.scopes),
        f"{' '.join(missing)} is not allowed",
        f"Allow the client {' '.join(missing)}, or take it out of COGNITO_SCOPES.",
    )
    yield _secret(described.get("ClientSecret"), wanted.client_secret)
    lacking = [
        one
        for one in wanted.providers
        if one not in described.get("SupportedIdentityProviders", [])
    ]
    yield needed(
        "app client: identity providers",
        not lacking,
        ", ".join(described.get("SupportedIdentityProviders", [])) or "none",
        f"{', '.join(lacking)} is not supported by the client",
        f"Add {', '.join(lacking)} to the client, or take it out of COGNITO_IDENTITY_PROVIDERS.",
    )
    yield needed(
        "app client: revocation",
        bool(described.get("EnableTokenRevocation")),
        "on",
        "off, so a sign-out cannot revoke the refresh token",
        "Turn on token revocation (EnableTokenRevocation).",
    )
    yield needed(
        "app client: who exists",
        described.get("PreventUserExistenceErrors") == "ENABLED",
        "not told to strangers",
        "told to strangers by different error messages",
        "Set PreventUserExistenceErrors to ENABLED.",
    )


def groups(listed: Sequence[Described]) -> Iterator[Finding]:
    """Groups without a role bring nothing at the identity pool."""
    without = [str(group["GroupName"]) for group in listed if not group.get("RoleArn")]
    about = "user pool: groups"
    if not listed:
        yield fine(about, "none, so everybody has the identity pool's signed-in role")
        return
    yield needed(
        about,
        not without,
        ", ".join(str(group["GroupName"]) for group in listed),
        f"{', '.join(without)} has no IAM role",
        "Give each group a role, or know that it decides nothing at the identity pool.",
    )


def identity_pool(described: Described, wanted: Wanted) -> Iterator[Finding]:
    """Whether the identity pool takes this client's ID tokens, and from guests nothing."""
    providers = described.get("CognitoIdentityProviders", [])
    ours = [one for one in providers if one.get("ProviderName") == wanted.login_key]
    clients = [one.get("ClientId") for one in ours]
    about = "identity pool: provider"
    if not ours:
        yield change(
            about,
            f"{wanted.login_key} is not among its providers",
            "Add the user pool as a provider, under exactly this name (check AWS_REGION).",
        )
    else:
        yield needed(
            about,
            wanted.client_id in clients,
            f"{wanted.login_key}, client {wanted.client_id}",
            f"the user pool is there for other clients only: {', '.join(map(str, clients))}",
            f"Add the app client {wanted.client_id} to the provider.",
        )
        yield needed(
            "identity pool: token check",
            any(one.get("ServerSideTokenCheck") for one in ours),
            "asks the user pool, so a global sign-out ends new credentials at once",
            "does not ask the user pool whether a person was signed out",
            "Turn on the server-side token check of the provider.",
        )
    yield needed(
        "identity pool: classic flow",
        not described.get("AllowClassicFlow"),
        "off",
        "on: a guest's role is not held to AWS's own limits there",
        "Turn off the basic (classic) flow; nothing here uses it.",
    )
    guests = "may come" if described.get("AllowUnauthenticatedIdentities") else "are not let in"
    yield fine("identity pool: guests", guests)


def roles(described: Described, wanted: Wanted, *, guests: bool) -> Iterator[Finding]:
    """Which roles the identity pool hands out, and how it chooses."""
    attached = described.get("Roles") or {}
    for kind, needs in (("authenticated", True), ("unauthenticated", guests)):
        if needs:
            yield needed(
                f"identity pool: {kind} role",
                kind in attached,
                str(attached.get(kind)),
                "none is attached",
                f"Attach a role for {kind} identities.",
            )
    mappings = described.get("RoleMappings") or {}
    key = f"{wanted.login_key}:{wanted.client_id}"
    mapping = mappings.get(key)
    about = "identity pool: role mapping"
    if mapping is None:
        yield change(
            about,
            "none for this client, so groups decide nothing",
            f"Add a role mapping for {key}: by token (the group's role) or by rules.",
        )
    else:
        resolution = mapping.get("AmbiguousRoleResolution", "Deny")
        yield fine(about, f"by {mapping.get('Type')}, else {resolution}")


def _listed(about: str, described: Described, key: str, address: str) -> Finding:
    known = described.get(key) or []
    return needed(
        about,
        address in known,
        address,
        f"{address} is not registered; there are: {', '.join(known) or 'none'}",
        f"Add exactly {address} to the client's {key}.",
    )


def _secret(theirs: str | None, ours: str | None) -> Finding:
    about = "app client: secret"
    if theirs and not ours:
        return change(
            about, "the client has one, the settings have none", "Set COGNITO_CLIENT_SECRET."
        )
    if ours and not theirs:
        return change(
            about,
            "the settings have one, the client has none",
            "Take COGNITO_CLIENT_SECRET away, or use a client with a secret.",
        )
    if theirs != ours:
        return change(
            about,
            "the settings' is not the one that Cognito shows",
            "Set COGNITO_CLIENT_SECRET to the client's own (or its second, while you change it).",
        )
    return fine(about, "the same" if ours else "none on either side")
