"""What an endpoint is: its route, its parameters, and what each caller should get.

Only values that fit their patterns become an address or a body.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from webapp.api import documents
from webapp.api.documents import Right
from webapp.api.identities import Caller
from webapp.api.standing import NOT_THERE, Standing, role_behind
from webapp.errors import BadInput
from webapp.words import say

Authorization = Literal["NONE", "AWS_IAM", "JWT"]

# In a path some servers fold, decode or split these and signers do not: none passes, whatever the
# pattern of a parameter allows.
_DOTS = ("", ".", "..")
_TWO_MEANINGS = re.compile(r"[/\\%;]")
_NO_VALUES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of an endpoint: required in the path, optional in the query.

    Of the body it is sent even when empty, unless `optional`; `lines` allows line breaks there.
    `default` is what a page fills in beforehand.
    """

    name: str
    pattern: str
    where: Literal["path", "query", "body"] = "path"
    default: str = ""
    optional: bool = False
    lines: bool = False

    def checked(self, value: str) -> str:
        """The value, percent-encoded whole unless for the body. Raises BadInput if it is odd."""
        odd = self.where == "path" and (value in _DOTS or _TWO_MEANINGS.search(value))
        plain = value.replace("\n", "") if self.lines else value
        if odd or not plain.isprintable() or not re.fullmatch(self.pattern, value):
            raise BadInput(
                say("The parameter %(name)s does not have the form that it needs.", name=self.name)
            )
        return value if self.where == "body" else quote(value, safe="")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route of the API.

    `roles` are the keys of those that IAM lets in, for an AWS_IAM route; `right` is what the
    backend then asks for on a document.
    """

    name: str
    method: str
    path: str
    authorization: Authorization
    summary: str
    roles: frozenset[str] = frozenset()
    right: Right | None = None
    parameters: tuple[Parameter, ...] = ()

    def address(self, values: Mapping[str, str]) -> str:
        """Path and query with the values filled in. Raises BadInput for a missing or odd one."""
        filled = {}
        query = []
        for parameter in self.parameters:
            value = values.get(parameter.name, "")
            if parameter.where == "path":
                filled[parameter.name] = parameter.checked(value)
            elif parameter.where == "query" and value:
                query.append(f"{parameter.name}={parameter.checked(value)}")
        path = self.path.format_map(filled)
        return f"{path}?{'&'.join(query)}" if query else path

    def body(self, values: Mapping[str, str]) -> bytes | None:
        """The JSON object that goes with the call, if one does. Raises BadInput for an odd one."""
        fields = [one for one in self.parameters if one.where == "body"]
        if not fields:
            return None
        content = {}
        for one in fields:
            value = values.get(one.name, "").replace("\r\n", "\n")
            if value or not one.optional:
                content[one.name] = one.checked(value)
        return json.dumps(content, separators=(",", ":")).encode()

    @property
    def defaults(self) -> dict[str, str]:
        """What a call is made with when nothing else is said."""
        return {one.name: one.default for one in self.parameters if one.default}

    def expects(
        self, caller: Caller, person: Standing | None, values: Mapping[str, str] = _NO_VALUES
    ) -> int | None:
        """The status that this caller should get with these values.

        Without a `person` it is that of somebody who may. None where nobody can say: a role that
        is not the stack's, a document that is not the demonstration's.
        """
        if self.authorization == "NONE":
            return 200
        if self.authorization == "JWT":
            return {"bearer-access": 200, "bearer-id": 403}.get(caller.kind, 401)
        if not caller.signs:
            return 403
        if person is not None or caller.kind != "user":
            role = role_behind(caller, person or NOT_THERE)
            if role not in self.roles:
                return None if role is None else 403
        return 200 if self.right is None else documents.status(self.right, person, values)
