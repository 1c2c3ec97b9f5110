"""The addresses of the backend: who may come in, and the sentence that says so.

API Gateway decides first (NONE, AWS_IAM, JWT; see stack.yaml); `Entry` is what the function itself
asks for on top, so that a route whose guard was lost by mistake stays closed.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Entry(Enum):
    """What a caller must bring."""

    OPEN = auto()
    """Nothing."""
    SIGNED = auto()
    """AWS credentials; a guest's will do, and the ID token is not asked for."""
    PERSON = auto()
    """A signed-in person's AWS credentials and the same person's ID token."""
    BEARER = auto()
    """An access token that API Gateway has verified."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address."""

    entry: Entry
    message: str = ""


# By API Gateway's route key.
ROUTES = {
    "GET /test/plain": Route(entry=Entry.OPEN, message="Anyone may read this."),
    "GET /test/public": Route(
        entry=Entry.SIGNED, message="Anyone with AWS credentials may read this, guests too."
    ),
    "GET /test/auth": Route(entry=Entry.PERSON, message="Signed-in people may read this."),
    "GET /secure": Route(entry=Entry.PERSON, message="Signed-in people may read this, too."),
    "GET /vip": Route(entry=Entry.PERSON, message="Only a role that allows /vip gets here."),
    "GET /protected": Route(
        entry=Entry.BEARER, message="An access token with the right scope opened this."
    ),
    "GET /whoami": Route(entry=Entry.PERSON, message="This is who you are to the backend."),
}

# Behind a function of their own: it alone may touch the table.
DOCUMENT_ROUTES = {
    "GET /documents": Route(entry=Entry.PERSON),
    "GET /documents/{id}": Route(entry=Entry.PERSON),
    "PUT /documents/{id}": Route(entry=Entry.PERSON),
    "DELETE /documents/{id}": Route(entry=Entry.PERSON),
}
