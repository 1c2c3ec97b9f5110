"""Why an answer is what it is: who asked, under which role, which rule decided."""

from webapp.api.catalogue import LABELS, Endpoint, Identity
from webapp.records import ApiAnswer, Person

Explanation = tuple[tuple[str, str], ...]


def role_name(arn: str | None) -> str | None:
    """The name at the end of a role's ARN."""
    return arn.rpartition("/")[2] if arn else None


def explain(endpoint: Endpoint, answer: ApiAnswer, person: Person | None) -> Explanation:
    """Who asked, under which role, and what decided, in sentences for people."""
    identity: Identity = answer.identity  # type: ignore[assignment]
    lines = [("Who asked", _who(identity, person)), ("Under which role", _role(answer, person))]
    lines.append(("What decided", _rule(endpoint, identity, answer.status)))
    if answer.status in (401, 403):
        lines.append(("What would be let in", _welcome(endpoint)))
    return tuple(lines)


def _who(identity: Identity, person: Person | None) -> str:
    if identity == "nobody":
        return "Nobody: the request carried neither a signature nor a token."
    if identity == "guest":
        return "A guest: the identity pool gave credentials without a sign-in."
    name = (person.email or person.username) if person else "somebody"
    if identity == "user":
        return f"{name}, with a request signed by temporary AWS credentials."
    return f"{name}, with the {LABELS[identity].removeprefix('bearer ')} as a bearer token."


def _role(answer: ApiAnswer, person: Person | None) -> str:
    if answer.identity == "guest":
        return "The identity pool's guest (unauthenticated) role."
    if answer.identity != "user":
        return "None: IAM roles belong to signed requests only."
    name = role_name(answer.role_arn)
    if name is None:
        return "The identity pool's default authenticated role: the token prefers none."
    group = f" (groups: {', '.join(person.groups)})" if person and person.groups else ""
    if person and answer.role_arn == person.preferred_role:
        return f"{name}, the preferred role in the ID token{group}."
    if person and answer.role_arn in person.roles:
        return f"{name}, which you chose among the roles in the ID token{group}."
    return f"{name}, the identity pool's default authenticated role{group}."


def _rule(endpoint: Endpoint, identity: Identity, status: int) -> str:
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


def _welcome(endpoint: Endpoint) -> str:
    if endpoint.only_groups:
        return f"A signed request of somebody in {' or '.join(endpoint.only_groups)}."
    if endpoint.authorization == "JWT":
        return "A bearer access token with the route's scope."
    if endpoint.expected["guest"] == 200:
        return "Any request signed with credentials of this identity pool, a guest's included."
    return "A request signed with a signed-in person's keys, with a role that allows this route."
