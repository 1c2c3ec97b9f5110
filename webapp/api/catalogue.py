"""The endpoints of the API as data: what may be called, how, by whom.

A call names an endpoint of this list and nothing else; no address ever comes from a browser.
"""

from webapp.api import documents
from webapp.api.endpoint import Endpoint, Parameter
from webapp.api.identities import LABELS, Identity, identity_named
from webapp.api.standing import DEFAULT_ROLE, GUEST_ROLE
from webapp.errors import BadInput
from webapp.words import say

__all__ = [
    "ENDPOINTS",
    "LABELS",
    "Endpoint",
    "Identity",
    "Parameter",
    "endpoint_named",
    "identity_named",
]

# What `invoke` says of each role in infra/stack.yaml, turned round; a test compares the two.
_SIGNED_IN = frozenset({DEFAULT_ROLE, "admin", "manager", "developer", "viewer"})
_TEAMS = frozenset({"team-a", "team-b"})
_WRITERS = _SIGNED_IN - {"viewer"}

ENDPOINTS = (
    Endpoint(
        name="test-plain",
        method="GET",
        path="/test/plain",
        authorization="NONE",
        summary=say("Open to everybody: no credentials are looked at."),
        parameters=(Parameter("note", r"[ -~]{1,64}", where="query"),),
    ),
    Endpoint(
        name="test-public",
        method="GET",
        path="/test/public",
        authorization="AWS_IAM",
        summary=say("Wants a signature; the guest role may call it too."),
        roles=_SIGNED_IN | _TEAMS | {GUEST_ROLE},
    ),
    Endpoint(
        name="test-auth",
        method="GET",
        path="/test/auth",
        authorization="AWS_IAM",
        summary=say("Wants a signature of somebody signed in; most roles allow it."),
        roles=_SIGNED_IN | {"team-a"},
    ),
    Endpoint(
        name="secure",
        method="GET",
        path="/secure",
        authorization="AWS_IAM",
        summary=say("For everybody signed in whose role allows it; most roles do."),
        roles=_SIGNED_IN | {"team-b"},
    ),
    Endpoint(
        name="vip",
        method="GET",
        path="/vip",
        authorization="AWS_IAM",
        summary=say("For the Admin group: only its role may call it."),
        roles=frozenset({"admin"}),
    ),
    Endpoint(
        name="protected",
        method="GET",
        path="/protected",
        authorization="JWT",
        summary=say("Wants a bearer access token with the right scope; no AWS signature."),
    ),
    Endpoint(
        name="whoami",
        method="GET",
        path="/whoami",
        authorization="AWS_IAM",
        summary=say("Says whom the API saw: identity, role, person."),
        roles=_SIGNED_IN | _TEAMS,
    ),
    Endpoint(
        name="documents",
        method="GET",
        path="/documents",
        authorization="AWS_IAM",
        summary=say("Lists the documents that you may read, each with the rule that lets you."),
        roles=_SIGNED_IN,
        right="list",
    ),
    Endpoint(
        name="document-read",
        method="GET",
        path="/documents/{id}",
        authorization="AWS_IAM",
        summary=say(
            "Reads a document, if a rule lets you: group, owner, department, project, share."
        ),
        roles=_SIGNED_IN,
        right="read",
        parameters=(Parameter("id", documents.ID, default="handbook"),),
    ),
    Endpoint(
        name="document-write",
        method="PUT",
        path="/documents/{id}",
        authorization="AWS_IAM",
        summary=say("Writes a document, or makes it yours; the Viewer's role may not even try."),
        roles=_WRITERS,
        right="write",
        parameters=(
            Parameter("id", documents.ID, default="budget"),
            Parameter("title", r".{0,200}", where="body", default="Budget"),
            Parameter(
                "text",
                r"(?s).{0,10000}",
                where="body",
                default="Shared with two people, one of whom may write.",
                lines=True,
            ),
            Parameter("project", documents.ID, where="body", optional=True),
        ),
    ),
    Endpoint(
        name="document-delete",
        method="DELETE",
        path="/documents/{id}",
        authorization="AWS_IAM",
        summary=say("Deletes a document: its owner's and the Admins' to do."),
        roles=_WRITERS,
        right="delete",
        parameters=(Parameter("id", documents.ID, default=documents.NOT_THERE),),
    ),
)

_BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def endpoint_named(name: str) -> Endpoint:
    """The endpoint of this name; `_` and `-` mean the same. Raises BadInput."""
    found = _BY_NAME.get(name.replace("_", "-"))
    if found is None:
        raise BadInput("There is no endpoint of that name; the console lists them all.")
    return found
