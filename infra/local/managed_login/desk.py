"""What every page works with, and the two ways a sign-in moves: to its next step, or home."""

from dataclasses import dataclass
from types import ModuleType

from infra.local.asgi import Response
from infra.local.managed_login.accounts import Account
from infra.local.managed_login.authorize_request import AuthorizeRequest
from infra.local.managed_login.browser_sessions import BrowserSessions
from infra.local.managed_login.pages import Pages, redirect
from infra.local.managed_login.pool import UserPools
from infra.local.managed_login.self_service import SelfService
from infra.local.managed_login.steps import FormGuard, Kind, Step, Steps
from infra.local.managed_login.visit import Visit, no_step_cookie, session_cookie, step_cookie

_STEP_PAGES: dict[Kind, str] = {
    "confirm": "/confirmUser",
    "reset": "/confirmForgotPassword",
    "new_password": "/newPassword",
    "totp": "/mfa",
    "totp_setup": "/mfa/setup",
}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The long-lived parts; one per server process."""

    pools: UserPools
    self_service: SelfService
    ses: ModuleType
    sessions: BrowserSessions
    steps: Steps
    guard: FormGuard
    pages: Pages

    def signed_in(self, visit: Visit) -> Account | None:
        """Return whom this browser's session stands for, if they may still sign in."""
        session = self.sessions.find(visit.session_id)
        if session is None:
            return None
        account = self.pools.account(session.pool_id, session.username)
        usable = account is not None and account.enabled and account.status == "CONFIRMED"
        return account if usable else None

    def wait(self, visit: Visit, kind: Kind, *, username: str, label: str) -> Response:
        """Remember what the sign-in waits for and show the page that asks for it."""
        step = Step(
            kind=kind,
            pool_id=request_of(visit).client.pool_id,
            username=username,
            label=label,
            secret=self.self_service.new_totp_secret() if kind == "totp_setup" else "",
        )
        step_id = self.steps.put(visit.flow, step)
        cookie = step_cookie(visit.flow, step_id)
        return redirect(visit.url(_STEP_PAGES[kind]), status=303, cookies=(cookie,))

    def step(self, visit: Visit, kind: Kind) -> Step | None:
        """Return the step that this sign-in waits at, if it is of this kind."""
        return self.steps.find(visit.flow, visit.step_id, kind)

    def account_of(self, step: Step | None) -> Account | None:
        """Return whom a step is about, if they still exist and are not disabled since."""
        account = None if step is None else self.pools.account(step.pool_id, step.username)
        return account if account is not None and account.enabled else None

    def lead_on(self, visit: Visit, account: Account) -> Response:
        """After the password is proven: ask for what is still missing, else finish."""
        if not account.enabled:
            return self.pages.page("disabled", visit, status=403)
        waits: dict[str, Kind] = {
            "UNCONFIRMED": "confirm",
            "RESET_REQUIRED": "reset",
            "FORCE_CHANGE_PASSWORD": "new_password",
        }
        kind = waits.get(account.status)
        if kind is None:
            second: dict[str, Kind] = {"code": "totp", "setup": "totp_setup"}
            kind = second.get(self.self_service.totp_step(account))
        if kind is None:
            return self.finish(visit, account)
        return self.wait(visit, kind, username=account.username, label=account.label)

    def lead_on_from(self, visit: Visit, step: Step) -> Response:
        """Go on after a step that changed the account: it is read anew."""
        account = self.account_of(step)
        return self.start_over(visit) if account is None else self.lead_on(visit, account)

    def finish(self, visit: Visit, account: Account) -> Response:
        """Start the browser session and send the authorization code to the application."""
        request = request_of(visit)
        self.steps.drop(visit.flow, visit.step_id)
        session_id = self.sessions.start(
            pool_id=account.pool_id, username=account.username, replaces=visit.session_id
        )
        location = self.pools.issue_code(request, account)
        cookies = (session_cookie(session_id), no_step_cookie(visit.flow))
        return redirect(location, cookies=cookies)

    def start_over(self, visit: Visit, notice: str = "expired") -> Response:
        """Back to the sign-in form, with a sentence that says why."""
        self.steps.drop(visit.flow, visit.step_id)
        return redirect(visit.url("/login", extra=f"notice={notice}"), status=303)


def request_of(visit: Visit) -> AuthorizeRequest:
    """Return the application's request; only for pages that cannot be reached without one."""
    if visit.oauth is None:
        raise AssertionError("this page has no authorization request")
    return visit.oauth
