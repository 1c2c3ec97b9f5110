"""Why an answer is what it is: who asked, under which role, which rule decided."""

import json
from contextlib import suppress

from webapp.api.catalogue import Endpoint
from webapp.api.identities import ROLE, label_of, role_name
from webapp.records import ApiAnswer, Person

LONGEST_REASON = 300
Explanation = tuple[tuple[str, str], ...]


def explain(endpoint: Endpoint, answer: ApiAnswer, person: Person | None) -> Explanation:
    """Who asked, under which role, and what decided, in sentences for people."""
    identity = answer.identity
    lines = [("Who asked", _who(identity, person)), ("Under which role", _role(answer, person))]
    rule = _documents_rule(answer) if endpoint.right else None
    lines.append(("What decided", rule or _rule(endpoint, identity, answer.status)))
    if answer.status in (401, 403):
        lines.append(("What would be let in", _welcome(endpoint)))
    return tuple(lines)


def _who(identity: str, person: Person | None) -> str:
    if identity == "nobody":
        return "Nobody: the request carried neither a signature nor a token."
    if identity == "guest":
        return "A guest: the identity pool gave credentials without a sign-in."
    name = (person.email or person.username) if person else "somebody"
    if _signs(identity):
        return f"{name}, with a request signed by temporary AWS credentials."
    return f"{name}, with the {label_of(identity).removeprefix('bearer ')} as a bearer token."


def _role(answer: ApiAnswer, person: Person | None) -> str:
    if answer.identity == "guest":
        return "The identity pool's guest (unauthenticated) role."
    if not _signs(answer.identity):
        return "None: IAM roles belong to signed requests only."
    name = role_name(answer.role_arn)
    if name is None:
        return "The identity pool's default authenticated role: the token prefers none."
    group = f" (groups: {', '.join(person.groups)})" if person and person.groups else ""
    if person and answer.role_arn == person.preferred_role:
        return f"{name}, the preferred role in the ID token{group}."
    if answer.identity.startswith(ROLE):
        return f"{name}, taken among the roles in the ID token for this call alone{group}."
    if person and answer.role_arn in person.roles:
        return f"{name}, which you chose among the roles in the ID token{group}."
    return f"{name}, the identity pool's default authenticated role{group}."


def _rule(endpoint: Endpoint, identity: str, status: int) -> str:
    where = f"{endpoint.method} {endpoint.path}"
    if endpoint.authorization == "NONE":
        return f"{where} asks for no authorization."
    if endpoint.authorization == "JWT":
        if status == 401:
            return f"The JWT authorizer of {where} found no bearer token that it accepts."
        if status == 403:
            return f"The token lacks the scope that {where} asks for; an ID token has no scopes."
        return f"The JWT authorizer of {where} accepted issuer, client, time and scope."
    if status == 403 and identity in ("nobody", "bearer-access", "bearer-id"):
        return f"{where} wants an AWS signature; without one API Gateway refuses."
    if status == 403:
        return f"The signature is good; no policy of the role allows execute-api:Invoke on {where}."
    if status == 401:
        return "The backend did not accept the ID token that came beside the signature."
    return f"The signature is good and the role's policy allows {where}."


def _documents_rule(answer: ApiAnswer) -> str | None:
    """What the backend says of its own decision, if it came to one."""
    with suppress(ValueError, RecursionError):
        said = json.loads(answer.body)
        told = said.get("decided_by", said) if isinstance(said, dict) else {}
        rule, because = (
            (told.get("rule"), told.get("because")) if isinstance(told, dict) else ("", "")
        )
        if isinstance(rule, str) and isinstance(because, str):
            whole = f"The role let the call through; the backend's rule {rule}: {because}"
            return whole[:LONGEST_REASON]
    return None


def _signs(identity: str) -> bool:
    return identity == "user" or identity.startswith(ROLE)


def _welcome(endpoint: Endpoint) -> str:
    if len(endpoint.roles) == 1:
        return f"A request signed with the role of the {min(endpoint.roles)} group."
    if endpoint.authorization == "JWT":
        return "A bearer access token with the route's scope."
    if "guest" in endpoint.roles:
        return "Any request signed with credentials of this identity pool, a guest's included."
    return "A request signed with a signed-in person's keys, with a role that allows this route."
