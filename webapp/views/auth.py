"""GET /login, GET /callback, POST /logout: the way in and the way out."""

from urllib.parse import parse_qs

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from webapp.addresses import local_path
from webapp.errors import BadInput, NotOffered, SignInRefused, StoreUnavailable
from webapp.observe import event, fingerprint
from webapp.records import Person, SignInAttempt
from webapp.security import Security
from webapp.sessions import Session, Sessions
from webapp.signin.journey import Journey
from webapp.signin.leaving import Depth
from webapp.signin.signout import Farewell, SignOut, depth_of
from webapp.store.roster import Roster
from webapp.views.asking import options_of, wants_sign_up
from webapp.views.tongues import Choice

# What the home page says of a sign-out of this depth that reached everything.
REACHED: dict[Depth, str] = {
    "app": "app",
    "cognito": "browser",
    "everywhere": "all",
    "switch": "browser",
}
# A sign-in is a navigation; anything else that a page can cause by itself is not.
_NAVIGATION = {"document", "empty", None}


def make_blueprint(
    journey: Journey,
    sign_out: SignOut,
    roster: Roster,
    sessions: Sessions,
    security: Security,
    choice: Choice,
    *,
    providers: tuple[str, ...],
) -> Blueprint:
    """The blueprint of signing in and out."""
    blueprint = Blueprint("auth", __name__)

    @blueprint.after_request
    def keep_the_query_here(response: Response) -> Response:
        # A refused callback is a page whose address holds code and state. Not no-referrer: from
        # a page like that Chromium posts `Origin: null`, and signing out would be refused.
        response.headers.setdefault("Referrer-Policy", "strict-origin")
        return response

    @blueprint.get("/login")
    def login() -> AnyResponse:
        _only_a_person()
        options = options_of(request.args, providers, choice.chosen())
        aims = request.args.getlist("next")
        aim = local_path(aims[0] if len(aims) == 1 else None)
        url, attempt = journey.start(aim, options, sign_up=wants_sign_up(request.args))
        sessions.set_attempts([attempt, *sessions.attempts()])
        event("sign_in_started", attempt=fingerprint(attempt.seed), options=",".join(options))
        return _away(url, 302)

    @blueprint.get("/callback")
    def callback() -> AnyResponse:
        if request.method != "GET":
            raise NotOffered("A sign-in is finished by GET only.", code="method", allow="GET")
        held = sessions.attempts()
        # Not Flask's reading: that one turns bytes that are no UTF-8 into harmless-looking text.
        query = parse_qs(request.query_string.decode("latin-1"), keep_blank_values=True)
        try:
            attempt = journey.belongs(held, query)
        except SignInRefused as refusal:
            return _led_on(refusal, query)
        return finish(attempt, held, query)

    def finish(
        attempt: SignInAttempt, held: list[SignInAttempt], query: dict[str, list[str]]
    ) -> AnyResponse:
        before, client = sessions.current(), sessions.client()
        try:
            arrival = journey.finish(attempt, query, client=client.name, network=client.network)
        except SignInRefused as refusal:
            if refusal.code == "spent":
                # The same callback twice at once: the other one has the session.
                return _away(attempt.next_path, 303)
            if refusal.code not in ("bad_code", "repeated"):
                sessions.set_attempts([one for one in held if one != attempt])
            raise
        person = arrival.session.record.person
        others = [one for one in held if one != attempt]
        if before is not None:
            sign_out.forget(before)
            if not _same(before.record.person, person):
                others = []  # where somebody else was heading is not this person's to see
        sessions.set_attempts(others)
        sessions.keep(arrival.session)
        event(
            "signed_in",
            session=fingerprint(arrival.session.place),
            subject=person.subject if person else None,
        )
        _make_room(arrival.session)
        return _away(attempt.next_path, 303)

    def _make_room(session: Session) -> None:
        try:
            ended = roster.make_room(session)
        except StoreUnavailable as fault:  # the sign-in is done; the next one makes the room
            event("sessions_not_counted", level="warning", facts=fault.facts)
            return
        if ended:
            event("oldest_sessions_ended", ended=ended, most=roster.most)
            sessions.leave_notice("room")

    def _led_on(refusal: SignInRefused, query: dict[str, list[str]]) -> AnyResponse:
        # Back button, reload, a second tab: somebody signed in gets their page, not a lecture.
        session = sessions.current()
        signed_in = session is not None and session.record.person is not None
        if signed_in and "code" in query and "error" not in query and refusal.code != "no_state":
            return _away(refusal.next_path, 303)
        raise refusal

    @blueprint.post("/logout")
    def logout() -> AnyResponse:
        ticket, unread = sessions.ticket(), None
        try:
            session = sessions.current()
            if session is None and ticket:
                # Another tab's request may have given it a new ticket just now.
                session = sign_out.heir_of(ticket)
        except StoreUnavailable:  # no reason to keep anybody in
            session, unread = None, ticket
        if session is None:
            security.check_origin()
        else:
            security.check_intent(session, sign_out.former_places(session, ticket))
        depth = depth_of(request.form.get("depth"))
        farewell = sign_out.end(session, depth, unread=unread)
        if session is not None:
            event("signed_out", session=fingerprint(session.place), depth=depth)
        for pending in farewell.pending:
            event("sign_out_pending", level="warning", part=pending)
        return _farewell(farewell, session, depth)

    def _farewell(farewell: Farewell, session: Session | None, depth: Depth) -> AnyResponse:
        sessions.drop()
        if farewell.attempt is not None:
            sessions.set_attempts([farewell.attempt, *sessions.attempts()])
        notices = farewell.pending or (REACHED[depth],)
        if session is not None or "store" in farewell.pending:
            sessions.leave_notice(",".join(notices))
        response = _away(farewell.url or "/", 303)
        if session is not None:
            response.headers["Clear-Site-Data"] = '"cache"'
        return response

    return blueprint


def _same(one: Person | None, other: Person | None) -> bool:
    # A guest becomes somebody without being somebody else.
    return (
        one is None or other is None or (one.issuer, one.subject) == (other.issuer, other.subject)
    )


def _only_a_person() -> None:
    if request.method != "GET":
        raise NotOffered("A sign-in is started by GET only.", code="method", allow="GET")
    if request.headers.get("Sec-Fetch-Dest") not in _NAVIGATION:
        raise BadInput(
            "A sign-in is started by a person, not by a part of a page.", code="embedded"
        )
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    if "prefetch" in purpose:
        raise BadInput("A sign-in is not prefetched.", code="embedded")


def _away(url: str, status: int) -> AnyResponse:
    # Not the framework's redirect: its page repeats the address, which may hold a state.
    return Response(
        status=status,
        headers={
            "Location": url,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        },
    )
