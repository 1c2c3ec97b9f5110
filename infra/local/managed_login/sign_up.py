"""Sign up with a mail address, and prove the address with the code that was mailed to it."""

from infra.local.asgi import Response
from infra.local.managed_login.accounts import PasswordPolicy, RefusalError
from infra.local.managed_login.desk import Desk, request_of
from infra.local.managed_login.pages import redirect
from infra.local.managed_login.visit import Visit


def form(desk: Desk, visit: Visit) -> Response:
    """Show the sign-up form."""
    if not request_of(visit).client.sign_up_open:
        return desk.pages.page("sign_up_closed", visit, status=403)
    return _form(desk, visit, fields={})


def submit(desk: Desk, visit: Visit) -> Response:
    """Register the person and ask for the mailed code, unless the pool confirms at once."""
    client = request_of(visit).client
    if not client.sign_up_open:
        return desk.pages.page("sign_up_closed", visit, status=403)
    fields = {name: value.strip() for name, value in visit.request.form().items()}
    email, password = fields.get("email", ""), visit.request.form().get("password", "")
    policy = desk.pools.policy(client.pool_id)
    texts = desk.pages.texts(visit)["problem"]
    problems = {
        **({} if "@" in email.strip("@") else {"email": texts["email_missing"]}),
        **({"password": texts["weak_password"]} if policy.broken_by(password) else {}),
    }
    if not problems:
        try:
            name = fields.get("name", "")
            desk.self_service.sign_up(client, email=email, password=password, name=name)
        except RefusalError as refusal:
            problems = {"": _in_words(texts, refusal)}
        else:
            account = desk.pools.account(client.pool_id, email)
            return desk.start_over(visit) if account is None else desk.lead_on(visit, account)
    broken = policy.broken_by(password)
    return _form(desk, visit, fields=fields, problems=problems, broken=broken)


def confirm_form(desk: Desk, visit: Visit) -> Response:
    """Ask for the code that was mailed."""
    step = desk.step(visit, "confirm")
    if step is None:
        return desk.start_over(visit)
    sent_again = visit.request.param("notice") == "code_sent"
    return desk.pages.page("confirm", visit, step=step, sent_again=sent_again)


def confirm_submit(desk: Desk, visit: Visit) -> Response:
    """Check the code; the person is then signed in, for the password came first."""
    step = desk.step(visit, "confirm")
    if step is None:
        return desk.start_over(visit)
    code = "".join(visit.request.form().get("code", "").split())
    try:
        desk.self_service.confirm_sign_up(request_of(visit).client, step.username, code)
    except RefusalError as refusal:
        if desk.steps.failed(visit.flow, visit.step_id):
            return desk.start_over(visit, "too_many_tries")
        wrong = {"code": _in_words(desk.pages.texts(visit)["problem"], refusal)}
        return desk.pages.page(
            "confirm", visit, status=400, problems=wrong, step=step, sent_again=False
        )
    return desk.lead_on_from(visit, step)


def resend(desk: Desk, visit: Visit) -> Response:
    """Mail a new code."""
    step = desk.step(visit, "confirm")
    if step is None:
        return desk.start_over(visit)
    desk.self_service.resend_code(request_of(visit).client, step.username)
    return redirect(visit.url("/confirmUser", extra="notice=code_sent"), status=303)


def _form(
    desk: Desk,
    visit: Visit,
    *,
    fields: dict[str, str],
    problems: dict[str, str] | None = None,
    broken: tuple[str, ...] = (),
) -> Response:
    policy: PasswordPolicy = desk.pools.policy(request_of(visit).client.pool_id)
    return desk.pages.page(
        "sign_up",
        visit,
        status=400 if problems else 200,
        problems=problems,
        email=fields.get("email", ""),
        full_name=fields.get("name", ""),
        policy=policy,
        broken=broken,
    )


def _in_words(texts: dict[str, str], refusal: RefusalError) -> str:
    known = {
        "UsernameExistsException": texts["account_exists"],
        "CodeMismatchException": texts["wrong_code"],
        "ExpiredCodeException": texts["expired_code"],
        "InvalidParameterException": texts["email_missing"],
    }
    return known.get(refusal.code, refusal.reason)
