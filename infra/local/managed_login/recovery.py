"""Forgotten password: ask for a mailed code, then set a new password with it.

Nothing here tells whether an account exists: a code is said to be on its way in every case.
"""

from infra.local.asgi import Response
from infra.local.managed_login.accounts import RefusalError
from infra.local.managed_login.desk import Desk, request_of
from infra.local.managed_login.steps import Step
from infra.local.managed_login.visit import Visit


def form(desk: Desk, visit: Visit) -> Response:
    """Ask whose password it is."""
    return desk.pages.page("forgot", visit, username=request_of(visit).login_hint)


def submit(desk: Desk, visit: Visit) -> Response:
    """Mail the code, if there is anybody to mail it to."""
    username = visit.request.form().get("username", "").strip()
    if not username:
        missing = {"username": desk.pages.texts(visit)["problem"]["username_missing"]}
        return desk.pages.page("forgot", visit, status=400, problems=missing, username="")
    desk.self_service.send_reset_code(request_of(visit).client, username)
    return desk.wait(visit, "reset", username=username, label=username)


def reset_form(desk: Desk, visit: Visit) -> Response:
    """Ask for the code and the new password."""
    step = desk.step(visit, "reset")
    return desk.start_over(visit) if step is None else _reset_form(desk, visit, step)


def reset_submit(desk: Desk, visit: Visit) -> Response:
    """Set the new password; the person then signs in with it."""
    step = desk.step(visit, "reset")
    if step is None:
        return desk.start_over(visit)
    fields = visit.request.form()
    code = "".join(fields.get("code", "").split())
    password = fields.get("new_password", "")
    texts = desk.pages.texts(visit)["problem"]
    broken = desk.pools.policy(step.pool_id).broken_by(password)
    if broken:
        weak = {"new_password": texts["weak_password"]}
        return _reset_form(desk, visit, step, code=code, problems=weak, broken=broken)
    client = request_of(visit).client
    try:
        desk.self_service.reset_password(client, step.username, code=code, password=password)
    except RefusalError:
        # One sentence for a wrong, an expired and a never issued code: they must look alike.
        if desk.steps.failed(visit.flow, visit.step_id):
            return desk.start_over(visit, "too_many_tries")
        wrong = {"code": texts["wrong_code"]}
        return _reset_form(desk, visit, step, code=code, problems=wrong)
    return desk.start_over(visit, "password_changed")


def _reset_form(
    desk: Desk,
    visit: Visit,
    step: Step,
    *,
    code: str = "",
    problems: dict[str, str] | None = None,
    broken: tuple[str, ...] = (),
) -> Response:
    return desk.pages.page(
        "reset",
        visit,
        status=400 if problems else 200,
        problems=problems,
        step=step,
        code=code,
        policy=desk.pools.policy(step.pool_id),
        broken=broken,
    )
