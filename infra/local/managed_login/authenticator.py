"""Set up an authenticator app (TOTP, RFC 6238), as a part of a sign-in or at leisure afterwards."""

from urllib.parse import quote, urlencode

from infra.local.asgi import Response
from infra.local.managed_login.accounts import Account
from infra.local.managed_login.desk import Desk
from infra.local.managed_login.pages import redirect
from infra.local.managed_login.steps import Step
from infra.local.managed_login.visit import Visit, no_step_cookie, step_cookie

_ISSUER = "Portico offline"


def form(desk: Desk, visit: Visit) -> Response:
    """Show the secret and ask for a first code."""
    step = _step(desk, visit)
    if step is not None:
        return _form(desk, visit, step)
    if visit.oauth is not None:
        return desk.start_over(visit)
    account = desk.signed_in(visit)
    if account is None:
        return desk.pages.page("setup_needs_sign_in", visit, status=401)
    if not desk.self_service.totp_allowed(account.pool_id):
        return desk.pages.page("setup_off", visit, status=403)
    return _begin(desk, visit, account)


def submit(desk: Desk, visit: Visit) -> Response:
    """Keep the secret when the code fits; go on with the sign-in, if this is part of one."""
    step = _step(desk, visit)
    account = desk.account_of(step)
    if step is None or account is None:
        return redirect(visit.url("/mfa/setup"), status=303)
    code = "".join(visit.request.form().get("code", "").split())
    if not desk.self_service.enroll_totp(account, secret=step.secret, code=code):
        wrong = {"code": desk.pages.texts(visit)["problem"]["wrong_totp"]}
        return _form(desk, visit, step, problems=wrong)
    if visit.oauth is not None:
        return desk.finish(visit, account)
    desk.steps.drop(visit.flow, visit.step_id)
    return redirect("/mfa/ready", status=303, cookies=(no_step_cookie(visit.flow),))


def ready(desk: Desk, visit: Visit) -> Response:
    """Say that the app is set up."""
    return desk.pages.page("setup_ready", visit)


def _step(desk: Desk, visit: Visit) -> Step | None:
    """Return the waiting set-up; outside a sign-in only while its person is still signed in."""
    step = desk.step(visit, "totp_setup")
    if step is None or visit.oauth is not None:
        return step
    account = desk.signed_in(visit)
    mine = account is not None and account.username == step.username
    return step if mine else None


def _begin(desk: Desk, visit: Visit, account: Account) -> Response:
    step = Step(
        kind="totp_setup",
        pool_id=account.pool_id,
        username=account.username,
        label=account.label,
        secret=desk.self_service.new_totp_secret(),
    )
    step_id = desk.steps.put(visit.flow, step)
    cookie = step_cookie(visit.flow, step_id)
    return redirect(visit.url("/mfa/setup"), status=303, cookies=(cookie,))


def _form(desk: Desk, visit: Visit, step: Step, problems: dict[str, str] | None = None) -> Response:
    label = quote(f"{_ISSUER}:{step.label}", safe="@")
    parameters = urlencode({"secret": step.secret, "issuer": _ISSUER}, quote_via=quote)
    return desk.pages.page(
        "setup",
        visit,
        status=400 if problems else 200,
        problems=problems,
        step=step,
        otpauth=f"otpauth://totp/{label}?{parameters}",
    )
