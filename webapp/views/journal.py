"""One session's way through the steps: moments and durations as noted, values as the tokens say.

Of a step's secrets nothing is here: state, nonce, code, verifier and tokens are told in words.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from webapp.flow import GUEST, Hop, hops_of, last_part
from webapp.records import Claims, SessionRecord
from webapp.signin.doorway import Known
from webapp.trail import PastCall
from webapp.views import steps
from webapp.views.claims import Check, checks
from webapp.views.steps import Fact, Step
from webapp.words import say

FRESH = say("made for this attempt, spent, never shown")
UNKEPT = say("never left the server, not kept, never shown")
SEALED = say("on the server, sealed, never shown")
Hops = dict[str, Hop]


@dataclass(frozen=True, slots=True)
class Holding:
    """What there is to tell of: the record, what its tokens say, the client's registration.

    `key_ids` are those of ID token and access token; `call` is the last one that was signed.
    """

    record: SessionRecord
    id_token: Claims
    access_token: Claims
    key_ids: tuple[str | None, str | None]
    known: Known
    call: PastCall | None = None


def journal(holding: Holding) -> list[Step]:
    """All steps, from the way in to the sign-out that is to come."""
    hops = hops_of(holding.record)
    first: Hops = {one.kind: one for one in reversed(hops)}
    later = [_LATER[one.kind](holding, one) for one in hops if one.kind in _LATER]
    own = {one.kind for one in hops if not _is_guest(one)}
    missing = [_LATER[kind](holding, None) for kind in _WHOLE_WAY if kind not in own]
    # A session of an earlier release has no notes of a sign-in that there must have been.
    sign_in = (
        replace(one, state="unnoted") if one.state == "not_yet" else one
        for one in _sign_in(holding, first)
    )
    return [*sign_in, *later, *missing, _call(holding.call), _sign_out(holding.known)]


def is_signed(call: PastCall) -> bool:
    """Whether a call was made with keys of the identity pool."""
    return call.caller in ("user", "guest") or call.caller.startswith("role:")


def passed_checks(holding: Holding) -> list[Check]:
    """What was verified of the tokens that are held, without a word of the nonce."""
    refreshed = holding.record.refreshed_at is not None
    found = checks(holding.id_token, holding.access_token, refreshed=refreshed)
    return [_unsaid(one) if "nonce" in holding.id_token else one for one in found]


def _unsaid(check: Check) -> Check:
    return replace(check, value=say("as sent, not shown")) if check.name == "nonce" else check


def _sign_in(holding: Holding, hops: Hops) -> Iterable[Step]:
    known, left = holding.known, hops.get("left")
    fresh = [Fact(name, told=FRESH) for name in ("state", "nonce")]
    yield _at(steps.LOGIN, left, *fresh, Fact("code_verifier", told=UNKEPT))
    yield _at(steps.AUTHORIZE, left, *authorize_facts(known), *fresh)
    yield _at_login(holding, hops)
    sent = say("the one that was sent, never shown")
    yield _at(steps.CALLBACK, hops.get("back"), Fact("code", told=FRESH), Fact("state", told=sent))
    secret = SEALED if known.confidential else say("none: a public client")
    yield _at(
        steps.TOKEN,
        hops.get("code"),
        Fact("grant_type", "authorization_code"),
        Fact("client_id", known.client_id),
        Fact("client_secret", told=secret),
        Fact("code_verifier", told=UNKEPT),
        Fact("id_token, access_token, refresh_token", told=SEALED),
    )
    yield _keys(holding, hops.get("keys"))
    claims = (Fact(name, str(holding.id_token.get(name, ""))) for name in ("iss", "sub", "aud"))
    yield _at(steps.CHECKS, hops.get("checks"), *claims)
    ticket = say("the ticket, in a cookie that no script can read")
    yield _at(steps.SESSION, _end_of(hops.get("checks")), Fact("Set-Cookie", told=ticket))


def authorize_facts(known: Known) -> list[Fact]:
    """The parameters of the authorize endpoint that are the same for everybody."""
    return [
        Fact("response_type", "code"),
        Fact("client_id", known.client_id),
        Fact("redirect_uri", known.redirect_uri),
        Fact("scope", " ".join(known.scopes)),
        Fact("code_challenge_method", "S256"),
        Fact("code_challenge", told=say("the hash of the code verifier, never shown")),
    ]


def _at_login(holding: Holding, hops: Hops) -> Step:
    left, back = hops.get("left"), hops.get("back")
    away = Hop("left", left.at, max(0.0, back.at - left.at) * 1000) if left and back else None
    claims = ((name, holding.id_token.get(name)) for name in ("auth_time", "origin_jti"))
    found = (Fact(name, str(value)) for name, value in claims if value is not None)
    return _at(steps.MANAGED_LOGIN, away, *found)


def _keys(holding: Holding, hop: Hop | None) -> Step:
    fetched = hop is not None and hop.detail == "fetched"
    told = say("fetched in this sign-in") if fetched else say("held from before: no request")
    of_id, of_access = (one or "" for one in holding.key_ids)
    step = _at(
        steps.KEYS,
        hop,
        *((Fact("jwks_uri", holding.known.keys),) if holding.known.keys else ()),
        Fact("keys", told=told),
        Fact("kid (ID token)", of_id),
        Fact("kid (access token)", of_access),
    )
    return replace(step, between=("portico", "login"), message="GET jwks.json") if fetched else step


def _identity(holding: Holding, hop: Hop | None) -> Step:
    guest = _is_guest(hop)
    keys = holding.record.guest_keys if guest else holding.record.user_keys
    identity = keys.identity_id if keys else None if guest else holding.record.identity_id
    logins = say("none: a guest") if guest else say("the ID token, never shown")
    facts = [Fact("Logins", told=logins), *([Fact("IdentityId", identity)] if identity else [])]
    step = _at(steps.GET_ID, hop, *facts)
    return replace(step, title=say("An identity for a guest")) if guest else step


def _credentials(holding: Holding, hop: Hop | None) -> Step:
    del holding
    role = []
    if hop is not None and not _is_guest(hop):
        unnamed = None if hop.detail else say("the pool's default: it comes without a name")
        role = [Fact("role", hop.detail, unnamed)]
    secret = Fact("AccessKeyId, SecretKey, SessionToken", told=SEALED)
    step = _at(steps.GET_CREDENTIALS, hop, *role, secret)
    return replace(step, title=say("Temporary keys for a guest")) if _is_guest(hop) else step


def _role(holding: Holding, hop: Hop | None) -> Step:
    del holding
    chosen = hop.detail if hop else ""
    back = None if chosen else say("back to the pool's own choice")
    return _at(steps.ROLE, hop, Fact("role", chosen, back))


def _refresh(holding: Holding, hop: Hop | None) -> Step:
    facts = [Fact("grant_type", "refresh_token"), Fact("client_id", holding.known.client_id)]
    if hop is not None:
        new = hop.detail == "rotated"
        told = say("a new one replaced it") if new else say("the same one goes on")
        facts.append(Fact("refresh_token", told=told))
    return _at(steps.REFRESH, hop, *facts)


def _userinfo(holding: Holding, hop: Hop | None) -> Step:
    subject = str((holding.record.userinfo or {}).get("sub", ""))
    return _at(steps.USERINFO, hop, Fact("sub", subject))


_LATER: dict[str, Callable[[Holding, Hop | None], Step]] = {
    "identity": _identity,
    "credentials": _credentials,
    "role": _role,
    "refresh": _refresh,
    "userinfo": _userinfo,
}
_WHOLE_WAY = ("identity", "credentials", "refresh")


def _call(call: PastCall | None) -> Step:
    carried = tuple(Fact(name, told=SEALED) for name in ("x-amz-security-token",))
    if call is None:
        return replace(steps.CALL, facts=carried)
    made = (
        Fact("endpoint", call.endpoint),
        Fact("identity", call.caller),
        Fact("status", str(call.status)),
        *((Fact("role", last_part(call.role_arn)),) if call.role_arn else ()),
    )
    step = replace(steps.CALL, what=steps.CALL_MADE)
    return _at(step, Hop("role", call.at, call.milliseconds), *made, *carried)


def _sign_out(known: Known) -> Step:
    return replace(
        steps.SIGN_OUT,
        facts=(
            Fact("client_id", known.client_id),
            Fact("logout_uri", known.signed_out_uri),
            Fact("token", told=say("the refresh token, never shown")),
        ),
    )


def _at(step: Step, hop: Hop | None, *facts: Fact) -> Step:
    if hop is None:
        return replace(step, facts=facts)
    return replace(step, facts=facts, at=hop.at, milliseconds=hop.milliseconds, state="done")


def _end_of(hop: Hop | None) -> Hop | None:
    return (
        replace(hop, at=hop.at + (hop.milliseconds or 0) / 1000, milliseconds=None) if hop else None
    )


def _is_guest(hop: Hop | None) -> bool:
    return hop is not None and hop.detail == GUEST
