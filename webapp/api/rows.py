"""The rows of the access matrix: every endpoint, called so that nothing is changed by it.

A write carries no title, which the backend refuses before it looks at any document; what is to be
deleted is a document of a name that nobody gives. Both still show who is let through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from webapp.api.catalogue import ENDPOINTS
from webapp.api.documents import NOT_THERE
from webapp.api.endpoint import Endpoint

SHOWN_DOCUMENTS = ("handbook", "atlas-plan", "diary", "budget")
"""One for each rule that holds for good; a grant ends at a time that the catalogue cannot know."""


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint with the values of its parameters."""

    endpoint: Endpoint
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Path and query as they are called."""
        return self.endpoint.address(self.values)

    @property
    def name(self) -> str:
        """The endpoint's name, and of a document also its id."""
        document = self.values.get("id")
        return f"{self.endpoint.name} {document}" if document else self.endpoint.name


@cache
def rows(*, demo: bool) -> tuple[Row, ...]:
    """Every row; those of the demonstration's documents only where there are any."""
    found: list[Row] = []
    for endpoint in ENDPOINTS:
        if endpoint.right == "read" and demo:
            found += (Row(endpoint, {"id": name}) for name in SHOWN_DOCUMENTS)
        needs_id = endpoint.right not in (None, "list")
        found.append(Row(endpoint, {"id": NOT_THERE} if needs_id else {}))
    return tuple(found)
