"""The authorization code flow as a browser walks it, over whatever sign-in pages are served."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import html5lib
import requests

from tests.stack.world import CALLBACK, PASSWORD, Tokens, World

_XHTML = "{http://www.w3.org/1999/xhtml}"


def code_sign_in(
    world: World, name: str = "ada", *, client_id: str | None = None, secret: str | None = None
) -> Tokens:
    """Sign in at Managed Login with code and PKCE; return the token endpoint's answer."""
    client_id = client_id or world.client_id
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid email aws.cognito.signin.user.admin",
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    callback = _walk(world.aws.endpoint, query, {"username": name, "password": PASSWORD})
    code = parse_qs(urlsplit(callback).query)["code"][0]
    answer = token_request(
        world,
        {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "code": code,
            "code_verifier": verifier,
        },
        secret=secret,
    )
    assert answer.status_code == 200, answer.text
    return Tokens.of(answer.json())


def refresh(
    world: World, token: str, *, client_id: str | None = None, secret: str | None = None
) -> requests.Response:
    """Ask the token endpoint for new tokens."""
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id or world.client_id,
        "refresh_token": token,
    }
    return token_request(world, form, secret=secret)


def token_request(world: World, form: dict[str, str], *, secret: str | None) -> requests.Response:
    """POST to the token endpoint, with the client's secret in the Basic header when given."""
    auth = (form["client_id"], secret) if secret else None
    return requests.post(f"{world.aws.endpoint}/oauth2/token", data=form, auth=auth, timeout=20)


def revoke(world: World, token: str, client_id: str | None = None) -> requests.Response:
    """POST to the revocation endpoint."""
    form = {"token": token, "client_id": client_id or world.client_id}
    return requests.post(f"{world.aws.endpoint}/oauth2/revoke", data=form, timeout=20)


def user_info(world: World, access_token: str) -> requests.Response:
    """GET the userInfo of this access token."""
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(f"{world.aws.endpoint}/oauth2/userInfo", headers=headers, timeout=20)


def _walk(endpoint: str, query: dict[str, str], answers: dict[str, str]) -> str:
    """Open the authorize endpoint, fill in each form that comes, stop at the callback."""
    with requests.Session() as browser:
        page = browser.get(
            f"{endpoint}/oauth2/authorize", params=query, allow_redirects=False, timeout=20
        )
        for _ in range(8):
            if page.is_redirect:
                target = urljoin(page.url, page.headers["location"])
                if target.startswith(CALLBACK):
                    return target
                page = browser.get(target, allow_redirects=False, timeout=20)
                continue
            action, fields = form_asking_for(page.text, answers)
            page = browser.post(
                urljoin(page.url, action), data=fields, allow_redirects=False, timeout=20
            )
    raise AssertionError(f"the sign-in pages led nowhere: {page.status_code} {page.text[:300]}")


def form_asking_for(html: str, answers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return the action and the fields of the form that asks for one of our answers."""
    document: Any = html5lib.parse(html, treebuilder="etree")
    for form in document.iter(f"{_XHTML}form"):
        inputs = [field for field in form.iter(f"{_XHTML}input") if field.get("name")]
        if any(field.get("name") in answers for field in inputs):
            given = {field.get("name"): field.get("value", "") for field in inputs}
            wanted = {name: value for name, value in answers.items() if name in given}
            return form.get("action") or "", {**given, **wanted}
    raise AssertionError(f"no form asks for {sorted(answers)}: {html[:300]}")
