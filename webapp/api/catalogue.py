"""The endpoints of the API as data: what may be called, how, by whom, and what to expect.

A call names an endpoint of this list and nothing else; no address ever comes from a browser.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from webapp.errors import BadInput

Authorization = Literal["NONE", "AWS_IAM", "JWT"]
Identity = Literal["nobody", "guest", "user", "bearer-access", "bearer-id"]

# In a path some servers fold, decode or split these and signers do not: none passes, whatever the
# pattern of a parameter allows.
_DOTS = ("", ".", "..")
_TWO_MEANINGS = re.compile(r"[/\\%;]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of an endpoint. In the path it is required, in the query optional."""

    name: str
    pattern: str
    where: Literal["path", "query"] = "path"

    def checked(self, value: str) -> str:
        """The value, percent-encoded whole. Raises BadInput when it does not fit the pattern."""
        odd = self.where == "path" and (value in _DOTS or _TWO_MEANINGS.search(value))
        if odd or not value.isprintable() or not re.fullmatch(self.pattern, value):
            raise BadInput(f"The parameter {self.name} does not have the form that it needs.")
        return quote(value, safe="")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route of the API. `expected` is what each identity gets, groups aside."""

    name: str
    method: str
    path: str
    authorization: Authorization
    summary: str
    expected: Mapping[Identity, int]
    only_groups: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()

    def address(self, values: Mapping[str, str]) -> str:
        """Path and query with the values filled in. Raises BadInput for a missing or odd one."""
        filled = {}
        query = []
        for parameter in self.parameters:
            value = values.get(parameter.name, "")
            if parameter.where == "path":
                filled[parameter.name] = parameter.checked(value)
            elif value:
                query.append(f"{parameter.name}={parameter.checked(value)}")
        path = self.path.format_map(filled)
        return f"{path}?{'&'.join(query)}" if query else path

    def expects(self, identity: Identity, groups: tuple[str, ...] | None) -> int:
        """The status that this identity should get; without `groups`, somebody in the right one."""
        status = self.expected[identity]
        wrong = groups is not None and self.only_groups and not {*groups} & {*self.only_groups}
        return 403 if identity == "user" and wrong else status


def _for(nobody: int, guest: int, user: int, access: int, id_token: int) -> dict[Identity, int]:
    return {
        "nobody": nobody,
        "guest": guest,
        "user": user,
        "bearer-access": access,
        "bearer-id": id_token,
    }


OPEN = _for(200, 200, 200, 200, 200)
SIGNED = _for(403, 200, 200, 403, 403)
SIGNED_IN = _for(403, 403, 200, 403, 403)
BEARER = _for(401, 401, 401, 200, 403)

ENDPOINTS = (
    Endpoint(
        name="test-plain",
        method="GET",
        path="/test/plain",
        authorization="NONE",
        summary="Open to everybody: no credentials are looked at.",
        expected=OPEN,
        parameters=(Parameter("note", r"[ -~]{1,64}", where="query"),),
    ),
    Endpoint(
        name="test-public",
        method="GET",
        path="/test/public",
        authorization="AWS_IAM",
        summary="Wants a signature; the guest role may call it too.",
        expected=SIGNED,
    ),
    Endpoint(
        name="test-auth",
        method="GET",
        path="/test/auth",
        authorization="AWS_IAM",
        summary="Wants a signature of somebody signed in; most roles allow it.",
        expected=SIGNED_IN,
    ),
    Endpoint(
        name="secure",
        method="GET",
        path="/secure",
        authorization="AWS_IAM",
        summary="For everybody signed in whose role allows it; most roles do.",
        expected=SIGNED_IN,
    ),
    Endpoint(
        name="vip",
        method="GET",
        path="/vip",
        authorization="AWS_IAM",
        summary="For the Admin group: only its role may call it.",
        expected=SIGNED_IN,
        only_groups=("Admin",),
    ),
    Endpoint(
        name="protected",
        method="GET",
        path="/protected",
        authorization="JWT",
        summary="Wants a bearer access token with the right scope; no AWS signature.",
        expected=BEARER,
    ),
    Endpoint(
        name="whoami",
        method="GET",
        path="/whoami",
        authorization="AWS_IAM",
        summary="Says whom the API saw: identity, role, person.",
        expected=SIGNED_IN,
    ),
)

_BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}

LABELS: dict[Identity, str] = {
    "nobody": "nobody",
    "guest": "guest",
    "user": "signed-in user",
    "bearer-access": "bearer access token",
    "bearer-id": "bearer ID token",
}
# Other spellings that a script may use for the same five.
_SPELLINGS: dict[str, Identity] = {
    "access": "bearer-access",
    "access-token": "bearer-access",
    "bearer-access-token": "bearer-access",
    "bearer": "bearer-access",
    "id": "bearer-id",
    "id-token": "bearer-id",
    "bearer-id-token": "bearer-id",
}


def endpoint_named(name: str) -> Endpoint:
    """The endpoint of this name; `_` and `-` mean the same. Raises BadInput."""
    found = _BY_NAME.get(name.replace("_", "-"))
    if found is None:
        raise BadInput("There is no endpoint of that name; the console lists them all.")
    return found


def identity_named(name: str) -> Identity:
    """The identity of this name. Raises BadInput."""
    wanted = name.replace("_", "-")
    for identity in LABELS:
        if wanted == identity:
            return identity
    if wanted in _SPELLINGS:
        return _SPELLINGS[wanted]
    raise BadInput(f"There is no identity of that name; it is one of {', '.join(LABELS)}.")
