"""The offline stand-in of Cognito Managed Login: which address is whose, and who may post.

Closes these gaps of the pinned ministack: no browser session at /oauth2/authorize; prompt,
login_hint, lang and identity_provider=COGNITO ignored; /logout ends nothing and knows only
logout_uri; no pages for sign-up, confirmation, forgotten password and authenticator codes.
"""

import asyncio
import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from infra.local.asgi import Request, Response
from infra.local.fidelity.upstream import load
from infra.local.managed_login import (
    authenticator,
    entrance,
    mail_pages,
    recovery,
    sign_in,
    sign_up,
)
from infra.local.managed_login.authorize_request import (
    BadRequestError,
    ClientRefusalError,
    parse,
)
from infra.local.managed_login.browser_sessions import BrowserSessions
from infra.local.managed_login.desk import Desk
from infra.local.managed_login.pages import STYLE_PATH, Pages, redirect
from infra.local.managed_login.pool import UserPools
from infra.local.managed_login.self_service import SelfService
from infra.local.managed_login.state import PoolState
from infra.local.managed_login.steps import FormGuard, Steps
from infra.local.managed_login.visit import (
    Visit,
    choose_language,
    known_browser,
    new_browser,
    read_cookies,
)

View = Callable[[Desk, Visit], Response | None]


@dataclass(frozen=True, kw_only=True)
class Route:
    """What answers at one address, and whether it belongs to an application's sign-in."""

    get: View | None = None
    post: View | None = None
    oauth: Literal["required", "optional", "none"] = "required"


ROUTES: dict[str, Route] = {
    "/oauth2/authorize": Route(get=entrance.authorize),
    "/logout": Route(get=entrance.logout, oauth="none"),
    "/login": Route(get=sign_in.form, post=sign_in.submit),
    "/newPassword": Route(get=sign_in.new_password_form, post=sign_in.new_password_submit),
    "/mfa": Route(get=sign_in.totp_form, post=sign_in.totp_submit),
    "/mfa/setup": Route(get=authenticator.form, post=authenticator.submit, oauth="optional"),
    "/mfa/ready": Route(get=authenticator.ready, oauth="none"),
    "/signup": Route(get=sign_up.form, post=sign_up.submit),
    "/confirmUser": Route(get=sign_up.confirm_form, post=sign_up.confirm_submit),
    "/resendCode": Route(post=sign_up.resend),
    "/forgotPassword": Route(get=recovery.form, post=recovery.submit),
    "/confirmForgotPassword": Route(get=recovery.reset_form, post=recovery.reset_submit),
    STYLE_PATH: Route(get=lambda desk, _: desk.pages.stylesheet(), oauth="none"),
    "/mailbox": Route(get=mail_pages.page, oauth="none"),
    "/mailbox.json": Route(get=mail_pages.as_json, oauth="none"),
}


async def handle(request: Request) -> Response | None:
    """Answer a request to Managed Login, in a worker thread; None for every other request.

    A thread, because a sign-up runs the pool's Lambda triggers and those call this server back.
    """
    route = ROUTES.get(request.path)
    if route is None or _is_api_call(request):
        return None
    return await asyncio.to_thread(answer, _desk(), request, route)


def answer(desk: Desk, request: Request, route: Route) -> Response | None:
    """Answer one request to a known address."""
    cookies = read_cookies(request)
    browser = known_browser(cookies)
    visit = Visit(
        request=request,
        cookies=cookies,
        language=choose_language(request, cookies),
        browser=browser or new_browser(),
        is_new_browser=browser is None,
    )
    view = {"GET": route.get, "HEAD": route.get, "POST": route.post}.get(request.method)
    if view is None:
        return _wrong_method(route)
    try:
        if route.oauth == "required" or (route.oauth == "optional" and request.param("client_id")):
            visit = replace(visit, oauth=parse(request.query, desk.pools.client))
        if request.method == "POST" and not _is_our_form(desk, visit):
            why = "no_cookie" if visit.is_new_browser else "forged"
            return desk.pages.page(why, visit, status=403)
        return view(desk, visit)
    except ClientRefusalError as refusal:
        return redirect(refusal.location)
    except BadRequestError as problem:
        return desk.pages.page("bad_request", visit, status=400, problem=problem)


@cache
def _desk() -> Desk:
    state = PoolState(load())
    guard = FormGuard()
    return Desk(
        pools=UserPools(state),
        self_service=SelfService(state),
        ses=importlib.import_module("ministack.services.ses"),
        sessions=BrowserSessions(now=time.time),
        steps=Steps(now=time.time),
        guard=guard,
        pages=Pages(guard),
    )


def _is_api_call(request: Request) -> bool:
    """A signed call or one with a target is for AWS's API, such as S3's, on any path."""
    authorization = request.headers.get("authorization", "")
    return "x-amz-target" in request.headers or authorization.startswith("AWS4-")


def _is_our_form(desk: Desk, visit: Visit) -> bool:
    token = visit.request.form().get("csrf_token", "")
    return not visit.is_new_browser and desk.guard.accepts(
        token, browser=visit.browser, flow=visit.flow
    )


def _wrong_method(route: Route) -> Response:
    allowed = [*(("GET", "HEAD") if route.get else ()), *(("POST",) if route.post else ())]
    return Response(status=405, headers=(("allow", ", ".join(allowed)),))
