"""GET /credentials: the temporary AWS keys, the role they carry, and how that role was chosen."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from webapp.api.caller import CallerIdentity
from webapp.api.identities import role_name
from webapp.credentials.wallet import Wallet
from webapp.errors import OperatorFault, Unavailable
from webapp.guard import Guard
from webapp.observe import event
from webapp.records import AwsKeys, Person
from webapp.security import Security
from webapp.sessions import Sessions
from webapp.signin.matrix import AccessMatrix
from webapp.views.page import Pages
from webapp.views.roles import RULES, WHY, compared, rule_of
from webapp.words import Saying, say

GUESTS = say("Nobody signed in: the pool's guest role.")


@dataclass(frozen=True, slots=True)
class KeysView:
    """Credentials as they may be shown."""

    identity_id: str
    role_arn: str | None
    role_name: str | None
    access_key_hint: str
    expires_at: int
    seconds_left: int
    why: Saying


@dataclass(frozen=True, slots=True)
class RoleView:
    """One of the roles in the ID token."""

    arn: str
    name: str
    note: Saying
    chosen: bool


def make_blueprint(
    pages: Pages,
    guard: Guard,
    sessions: Sessions,
    security: Security,
    wallet: Wallet,
    caller: CallerIdentity,
    access: AccessMatrix,
    *,
    now: Callable[[], float] = time.time,
) -> Blueprint:
    """The blueprint of the credentials page."""
    blueprint = Blueprint("credentials", __name__)

    @blueprint.get("/credentials")
    def credentials() -> str:
        session, person = guard.must()
        trouble = None
        try:
            session, _ = wallet.user_keys(session)
            sessions.keep(session)
        except (Unavailable, OperatorFault) as fault:
            trouble = fault.sentence
            event("credentials_refused", level="warning", code=fault.code, facts=fault.facts)
        record = session.record
        rule = rule_of(person, record)
        return pages.render(
            "pages/credentials.html",
            user=_shown(record.user_keys, WHY[rule], now()),
            guest=_shown(record.guest_keys, GUESTS, now()),
            rule=rule,
            rules=RULES,
            compared=compared(access, person, record),
            trouble=trouble,
            roles=[
                RoleView(arn, role_name(arn) or arn, _note(arn, person), arn == record.chosen_role)
                for arn in person.roles
            ],
            chosen=record.chosen_role,
        )

    @blueprint.post("/credentials/role")
    def choose() -> AnyResponse:
        session, _ = guard.must()
        security.check_intent(session)
        wanted = request.form.get("role") or None
        sessions.keep(wallet.choose(session, wanted))
        event("role_chosen", role=role_name(wanted) or "the pool's choice")
        return redirect("/credentials", 303)

    @blueprint.post("/credentials/name")
    def name() -> AnyResponse:
        session, _ = guard.must()
        security.check_intent(session)
        session, keys = wallet.user_keys(session)
        sessions.keep(wallet.name_role(session, keys, caller.role_of(keys)))
        return redirect("/credentials", 303)

    return blueprint


def _note(arn: str, person: Person) -> Saying:
    if arn == person.preferred_role:
        return say("preferred: lowest precedence")
    return say("in the token, not preferred")


def _shown(keys: AwsKeys | None, why: Saying, now: float) -> KeysView | None:
    if keys is None or keys.expires_at <= now:
        return None
    return KeysView(
        identity_id=keys.identity_id,
        role_arn=keys.role_arn,
        role_name=role_name(keys.role_arn),
        access_key_hint=f"{keys.access_key_id[:4]}…{keys.access_key_id[-4:]}",
        expires_at=keys.expires_at,
        seconds_left=int(keys.expires_at - now),
        why=why,
    )
