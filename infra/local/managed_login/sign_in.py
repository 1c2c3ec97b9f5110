"""Sign in with a password, and what may follow it: a new password, a code of the app."""

from infra.local.asgi import Response
from infra.local.managed_login.accounts import RefusalError
from infra.local.managed_login.demo_people import demo_people
from infra.local.managed_login.desk import Desk, request_of
from infra.local.managed_login.visit import Visit

_NOTICES = ("expired", "password_changed", "too_many_tries")


def form(desk: Desk, visit: Visit) -> Response:
    """Show the sign-in form, the login_hint filled in."""
    return _form(desk, visit, username=request_of(visit).login_hint)


def submit(desk: Desk, visit: Visit) -> Response:
    """Check name and password; nobody and a wrong password get the very same answer."""
    fields = visit.request.form()
    username, password = fields.get("username", "").strip(), fields.get("password", "")
    texts = desk.pages.texts(visit)
    missing = {
        name: texts["problem"][f"{name}_missing"]
        for name, value in (("username", username), ("password", password))
        if not value
    }
    if missing:
        return _form(desk, visit, username=username, problems=missing)
    account = desk.pools.authenticate(request_of(visit).client.pool_id, username, password)
    if account is None:
        wrong = {"": texts["problem"]["wrong_password"]}
        return _form(desk, visit, username=username, problems=wrong)
    return desk.lead_on(visit, account)


def _form(
    desk: Desk, visit: Visit, *, username: str, problems: dict[str, str] | None = None
) -> Response:
    notice = visit.request.param("notice")
    return desk.pages.page(
        "sign_in",
        visit,
        status=400 if problems else 200,
        problems=problems,
        username=username,
        notice=notice if notice in _NOTICES and not problems else None,
        client=request_of(visit).client,
        people=demo_people(desk.pools, request_of(visit).client.pool_id),
    )


def new_password_form(desk: Desk, visit: Visit) -> Response:
    """Ask for the password that replaces the temporary one (NEW_PASSWORD_REQUIRED)."""
    step = desk.step(visit, "new_password")
    if step is None:
        return desk.start_over(visit)
    return desk.pages.page(
        "new_password", visit, step=step, policy=desk.pools.policy(step.pool_id), broken=()
    )


def new_password_submit(desk: Desk, visit: Visit) -> Response:
    """Set the new password and go on."""
    step = desk.step(visit, "new_password")
    account = desk.account_of(step)
    if step is None or account is None:
        return desk.start_over(visit)
    password = visit.request.form().get("new_password", "")
    policy = desk.pools.policy(step.pool_id)
    broken = policy.broken_by(password)
    problem = desk.pages.texts(visit)["problem"]["weak_password"]
    if not broken:
        try:
            desk.self_service.replace_temporary_password(account, password)
        except RefusalError as refusal:
            problem = refusal.reason
        else:
            return desk.lead_on_from(visit, step)
    return desk.pages.page(
        "new_password",
        visit,
        status=400,
        problems={"new_password": problem},
        step=step,
        policy=policy,
        broken=broken,
    )


def totp_form(desk: Desk, visit: Visit) -> Response:
    """Ask for the code of the authenticator app (SOFTWARE_TOKEN_MFA)."""
    step = desk.step(visit, "totp")
    if step is None:
        return desk.start_over(visit)
    return desk.pages.page("totp", visit, step=step)


def totp_submit(desk: Desk, visit: Visit) -> Response:
    """Check the code; after some wrong ones the password is asked again."""
    step = desk.step(visit, "totp")
    account = desk.account_of(step)
    if step is None or account is None:
        return desk.start_over(visit)
    code = "".join(visit.request.form().get("code", "").split())
    if desk.self_service.totp_matches(account, code):
        return desk.finish(visit, account)
    if desk.steps.failed(visit.flow, visit.step_id):
        return desk.start_over(visit, "too_many_tries")
    wrong = {"code": desk.pages.texts(visit)["problem"]["wrong_totp"]}
    return desk.pages.page("totp", visit, status=400, problems=wrong, step=step)
