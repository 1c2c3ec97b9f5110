"""Why an answer is what it is: who asked, under which role, what decided, what would be let in."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from webapp.api.catalogue import Endpoint
from webapp.api.identities import ROLE, role_name
from webapp.records import ApiAnswer, Person
from webapp.words import Saying, say

Explanation = tuple[tuple[str, str], ...]
"""Pairs of what is explained and a sentence, each a Saying."""

LONGEST_REASON = 300
BACKEND = "-"
"""Stands for a rule when the backend decided and named none."""
_RULE = re.compile(r"[a-z][a-z_]{0,40}")
_GATEWAY = re.compile(r"(?P<api>[a-z0-9]{6,16})\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.")
_ROLE = re.compile(r"arn:(aws[a-z-]{0,16}):iam::([0-9]{1,20}):")
_REFUSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an explanation is made of.

    `rule` is the word under which the backend decided, BACKEND when it named none, empty when the
    backend said nothing of it; `because` is its sentence and `challenge` that of an authorizer.
    """

    caller: str
    status: int
    role_arn: str | None
    rule: str = ""
    because: str = ""
    challenge: str = ""


def outcome_of(endpoint: Endpoint, answer: ApiAnswer) -> Outcome:
    """What an answer tells of how it came about."""
    rule, because, challenge = "", "", ""
    if endpoint.right or answer.status in _REFUSED:
        rule, because = _backend(answer.body)
        challenge = next((value for name, value in answer.headers if _challenges(name)), "")
    return Outcome(
        answer.identity,
        answer.status,
        answer.role_arn,
        rule,
        _plain(because),
        _plain(challenge),
    )


def _plain(text: str) -> str:
    """What others wrote, short and on one line."""
    return "".join(char for char in text[:LONGEST_REASON] if char.isprintable())


def _challenges(name: str) -> bool:
    return name.lower() == "www-authenticate"


def _backend(body: bytes) -> tuple[str, str]:
    """The backend's own word and sentence about a decision: see infra/functions/api/handler.py."""
    with suppress(ValueError, RecursionError):
        said = json.loads(body)
        if isinstance(said, dict):
            told = said.get("decided_by", said)
            told = told if isinstance(told, dict) else {}
            rule, because = told.get("rule"), told.get("because")
            if isinstance(rule, str) and _RULE.fullmatch(rule) and isinstance(because, str):
                return rule, because
            # API Gateway's own refusals have a message and nothing else.
            return (BACKEND, "") if "request_id" in said else ("", "")
    return "", ""


def explain(endpoint: Endpoint, outcome: Outcome, person: Person | None) -> Explanation:
    """Pairs of what is explained and a sentence."""
    lines = [
        (say("Who asked"), _who(outcome.caller, person)),
        (say("Under which role"), _role(outcome, person)),
        (say("What decided"), _decision(endpoint, outcome)),
    ]
    if outcome.challenge:
        said = say("“%(words)s”", words=outcome.challenge)
        lines.append((say("In the authorizer's own words"), said))
    if outcome.status in _REFUSED:
        lines.append((say("What would be let in"), _welcome(endpoint, outcome)))
    return tuple(lines)


def _who(caller: str, person: Person | None) -> Saying:
    if caller == "nobody":
        return say("Nobody: the request carried neither a signature nor a token.")
    if caller == "guest":
        return say("A guest: the identity pool gave credentials without a sign-in.")
    name = (person.email or person.username) if person else say("somebody")
    if caller == "bearer-access":
        return say("%(name)s, with the access token as a bearer token.", name=name)
    if caller == "bearer-id":
        return say("%(name)s, with the ID token as a bearer token.", name=name)
    return say("%(name)s, with a request signed by temporary AWS credentials.", name=name)


def _role(outcome: Outcome, person: Person | None) -> Saying:
    if outcome.caller == "guest":
        return say("The identity pool's guest (unauthenticated) role.")
    if not _as_person(outcome.caller):
        return say("None: IAM roles belong to signed requests only.")
    arn, name = outcome.role_arn, role_name(outcome.role_arn)
    if name is None:
        return say("The identity pool's default authenticated role: the token prefers none.")
    groups = ", ".join(person.groups) if person else ""
    if outcome.caller.startswith(ROLE):
        return say("%(role)s, asked for among the roles in the ID token.", role=name)
    if person and arn == person.preferred_role:
        return say(
            "%(role)s, the preferred role in the ID token (groups: %(groups)s).",
            role=name,
            groups=groups,
        )
    if person and arn in person.roles:
        return say("%(role)s, which you chose among the roles in the ID token.", role=name)
    return say("%(role)s, the identity pool's default authenticated role.", role=name)


def _decision(endpoint: Endpoint, outcome: Outcome) -> Saying:
    where, status = f"{endpoint.method} {endpoint.path}", outcome.status
    if status == 429 or status >= 500:
        return say("No rule did: the API could not answer the call just now.")
    if endpoint.authorization == "NONE":
        return say("%(where)s asks for no authorization.", where=where)
    if endpoint.authorization == "JWT":
        return _authorizer(where, outcome)
    if outcome.rule:
        return _backend_decision(outcome)
    if status == 403 and not (outcome.caller == "guest" or _as_person(outcome.caller)):
        return say(
            "%(where)s wants an AWS signature; without one API Gateway refuses.", where=where
        )
    if status == 403:
        return say(
            "The signature is good; no policy of the role allows execute-api:Invoke on %(where)s,"
            " and what IAM does not allow is refused.",
            where=where,
        )
    if status == 401:
        return say("The backend did not accept the ID token that came beside the signature.")
    return say("The signature is good and the role's policy allows %(where)s.", where=where)


def _authorizer(where: str, outcome: Outcome) -> Saying:
    if outcome.status == 401 and outcome.caller.startswith("bearer-"):
        return say(
            "The JWT authorizer of %(where)s did not accept the token: its signature, issuer,"
            " client or time.",
            where=where,
        )
    if outcome.status == 401:
        return say(
            "The JWT authorizer of %(where)s found no bearer token; an AWS signature is none.",
            where=where,
        )
    if outcome.status == 403:
        return say(
            "The token lacks the scope that %(where)s asks for; an ID token has no scopes.",
            where=where,
        )
    return say(
        "The JWT authorizer of %(where)s accepted issuer, client, time and scope.", where=where
    )


def _backend_decision(outcome: Outcome) -> Saying:
    if outcome.rule != BACKEND and outcome.because:
        return say(
            "The role's policy let the call through to the backend, whose rule %(rule)s decided:"
            " “%(because)s”",
            rule=outcome.rule,
            because=outcome.because,
        )
    if outcome.rule != BACKEND:
        return say(
            "The role's policy let the call through to the backend, whose rule %(rule)s decided.",
            rule=outcome.rule,
        )
    if outcome.status == 401:
        return say("The backend did not accept the ID token that came beside the signature.")
    if outcome.status == 403:
        return say(
            "The role's policy let the call through; the backend refused, because the signature"
            " and the ID token are not those of one signed-in person."
        )
    return say("The role's policy let the call through, and the backend answered.")


def _welcome(endpoint: Endpoint, outcome: Outcome) -> Saying:
    if endpoint.authorization == "JWT":
        return say("A bearer access token with the route's scope.")
    if outcome.rule not in ("", BACKEND):
        return say(
            "Somebody whom one of the backend's rules allows it: the owner, and whom a group, the"
            " department, the project or a share lets in."
        )
    if "guest" in endpoint.roles:
        return say("Any request signed with credentials of this identity pool, a guest's included.")
    if len(endpoint.roles) == 1:
        return say(
            "A request signed with the keys of one role alone: %(role)s.", role=min(endpoint.roles)
        )
    return say(
        "A request signed with a signed-in person's keys, under one of these roles: %(roles)s.",
        roles=", ".join(sorted(endpoint.roles)),
    )


def statement(endpoint: Endpoint, answer: ApiAnswer, outcome: Outcome, region: str) -> str | None:
    """The statement that the role's policy lacks, in IAM's own form; None when that is not why.

    `region` counts where the API's address tells none.
    """
    denied = outcome.status == 403 and not outcome.rule and _signs(outcome.caller)
    if endpoint.authorization != "AWS_IAM" or not denied:
        return None
    parts = urlsplit(answer.sent.url)
    found = _GATEWAY.match(parts.netloc)
    region, api = (found["region"], found["api"]) if found else (region, "*")
    of_role = _ROLE.match(outcome.role_arn or "")
    partition, account = of_role.groups() if of_role else ("aws", "*")
    resource = f"arn:{partition}:execute-api:{region}:{account}:{api}/*/{endpoint.method}"
    path = re.sub(r"\{[^}]+\}", "*", endpoint.path)
    return json.dumps(
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource + path}, indent=2
    )


def _signs(caller: str) -> bool:
    return caller == "guest" or _as_person(caller)


def _as_person(caller: str) -> bool:
    return caller == "user" or caller.startswith(ROLE)
