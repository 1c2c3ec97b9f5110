"""The doors that an application sends a browser to: /oauth2/authorize and /logout.

Sources: the AWS pages "authorization-endpoint" and "logout-endpoint"; OpenID Connect Core 3.1.2.1.
"""

from urllib.parse import urlencode

from infra.local.asgi import Response
from infra.local.managed_login.authorize_request import (
    LANGUAGES,
    BadRequestError,
    parse,
    parse_client,
)
from infra.local.managed_login.desk import Desk, request_of
from infra.local.managed_login.pages import redirect
from infra.local.managed_login.visit import Visit, language_cookie, no_session_cookie


def authorize(desk: Desk, visit: Visit) -> Response | None:
    """Send the browser on: with a code at once, to the sign-in form, or back with an error.

    select_account and consent change nothing for people of the pool itself: Cognito only hands
    them to external providers. None leaves those providers to ministack.
    """
    request = request_of(visit)
    provider = request.identity_provider
    if provider and provider != "COGNITO":
        if desk.pools.has_provider(request.client.pool_id, provider):
            return None
        raise request.refusal("invalid_request", f"identity_provider {provider} is not supported")

    account = None if "login" in request.prompt else desk.signed_in(visit)
    if account is not None and account.pool_id == request.client.pool_id:
        return redirect(desk.pools.issue_code(request, account), cookies=_language(visit))
    if "none" in request.prompt:
        raise request.refusal("login_required", "There is no signed-in session in this browser")
    hint = urlencode({"login_hint": request.login_hint}) if request.login_hint else ""
    return redirect(visit.url("/login", extra=hint), cookies=_language(visit))


def logout(desk: Desk, visit: Visit) -> Response:
    """End the browser session, then leave for logout_uri or for a fresh sign-in form.

    AWS answers every other mixture with the same sentence about redirect_uri, also where
    logout_uri is merely unregistered; the session stays then.
    """
    query = visit.request.query
    client = parse_client(query, desk.pools.client)
    logout_uri = visit.request.param("logout_uri")
    if logout_uri in client.logout_urls:
        desk.sessions.end(visit.session_id)
        return redirect(str(logout_uri), cookies=(no_session_cookie(),))
    if not visit.request.param("redirect_uri"):
        reason = "Required String parameter 'redirect_uri' is not present"
        raise BadRequestError("invalid_request", reason)
    again = parse(query, desk.pools.client)
    desk.sessions.end(visit.session_id)
    cookies = (no_session_cookie(), *_language(visit))
    return redirect(f"/login?{again.query()}", cookies=cookies)


def _language(visit: Visit) -> tuple[str, ...]:
    asked = visit.request.param("lang") in LANGUAGES
    return (language_cookie(visit.language),) if asked else ()
