"""Sign-in in the browser: the code flow with PKCE, back to this machine (RFC 8252)."""

import os
import secrets
import sys
import webbrowser
from collections.abc import Mapping
from hmac import compare_digest

from webapp.cli.loopback import Loopback, Query
from webapp.cli.output import note
from webapp.cli.plain import plain
from webapp.errors import OperatorFault
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import ClientFacts, GrantRefused, TokenAnswer
from webapp.managed_login.metadata import Metadata
from webapp.outbound import Outbound
from webapp.settings import Settings

PORT = 8400
WAIT_SECONDS = 300


def by_code(
    settings: Settings, metadata: Metadata, *, hint: str | None, port: int, browser: bool
) -> tuple[TokenAnswer, str]:
    """The token answer, not yet verified, and the nonce that its ID token must carry.

    `hint` fills in the name. Raises OperatorFault, ProviderUnavailable.
    """
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    with Loopback(port) as listener:
        login = ManagedLogin(_facts(settings, listener.redirect_uri), metadata, Outbound())
        url = login.authorize_url(
            state=state,
            nonce=nonce,
            verifier=verifier,
            options={"login_hint": hint} if hint else {},
        )
        note(f"The callback {listener.redirect_uri} must be registered at the app client.")
        note("Sign in at:")
        note(url)
        if browser and _has_screen():
            webbrowser.open(url)
        query = listener.wait(lambda one: _is(one, "state", state), WAIT_SECONDS)
    code = _code(query, login)
    try:
        return login.exchange(code, verifier), nonce
    except GrantRefused as refusal:
        raise OperatorFault(
            f"The token endpoint refuses the code ({plain(refusal.error)[:64]}); check the client's"
            " secret and its callback addresses with `doctor`.",
            code="code_refused",
        ) from None


def _facts(settings: Settings, redirect_uri: str) -> ClientFacts:
    return ClientFacts(
        client_id=settings.cognito_client_id,
        client_secret=settings.cognito_client_secret,
        redirect_uri=redirect_uri,
        signed_out_uri=f"{settings.app_base_url}/",
        scopes=settings.cognito_scopes,
        api=settings.user_pool_api,
    )


def _code(query: Query, login: ManagedLogin) -> str:
    issuer = _one(query, "iss")
    if issuer is not None and issuer != login.issuer:
        raise OperatorFault("The answer comes from another issuer.", code="wrong_issuer")
    if error := _one(query, "error"):
        raise OperatorFault(
            f"Managed Login did not sign anybody in ({plain(error)[:64]}); try again.",
            code="declined",
        )
    code = _one(query, "code")
    if not code:
        raise OperatorFault("The answer carries no code; try again.", code="no_code")
    return code


def _one(query: Mapping[str, list[str]], name: str) -> str | None:
    values = query.get(name, [])
    return values[0] if len(values) == 1 else None


def _is(query: Query, name: str, wanted: str) -> bool:
    return compare_digest((_one(query, name) or "").encode(), wanted.encode())


def _has_screen() -> bool:
    # Without one a browser of the terminal would take the terminal.
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
