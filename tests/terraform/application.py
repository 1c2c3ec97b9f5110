"""The application under gunicorn, with nothing but what Terraform's outputs say."""

import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

from infra.local.process import start
from tests.stack.offline import User
from tests.stack.sign_in import form_asking_for
from tests.terraform.conftest import Applied

_MOST_STEPS = 12


@contextmanager
def running(applied: Applied, folder: Path) -> Iterator[str]:
    """Start the application with its sessions in Terraform's table; give its origin."""
    origin = applied.settings["APP_BASE_URL"]
    port = urlsplit(origin).port
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SESSION_STORE_URL": applied.session_store_url,
        "WEB_CONCURRENCY": "1",
        # The offline AWS's own; the store is the only part that signs as the application.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **applied.settings,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "infra/container/gunicorn.conf.py"]
    child = start(
        "application",
        [*command, "--bind", f"127.0.0.1:{port}"],
        health_url=f"{origin}/healthz",
        log=folder / "application.log",
        environment=environment,
    )
    try:
        child.wait_until_healthy()
        yield origin
    finally:
        child.stop()


def sign_in(browser: requests.Session, origin: str, user: User) -> None:
    """Walk from /login through Managed Login and the callback to the home page."""
    answers = {"username": user.email, "password": user.password}
    page = browser.get(f"{origin}/login", allow_redirects=False, timeout=20)
    for _ in range(_MOST_STEPS):
        if page.is_redirect:
            target = urljoin(page.url, page.headers["location"])
            page = browser.get(target, allow_redirects=False, timeout=20)
        elif page.url.startswith(origin):
            assert page.status_code == 200, page.text
            return
        else:
            action, fields = form_asking_for(page.text, answers)
            target = urljoin(page.url, action)
            page = browser.post(target, data=fields, allow_redirects=False, timeout=20)
    raise AssertionError(f"the sign-in led nowhere: {page.status_code} {page.url}")


def call(browser: requests.Session, origin: str, endpoint: str) -> int:
    """Call an endpoint of the API as the person who is signed in; the status of its answer."""
    token = browser.get(f"{origin}/me", timeout=20).json()["csrf_token"]
    answer = browser.post(
        f"{origin}/api/call",
        data={"csrf_token": token, "endpoint": endpoint, "identity": "user"},
        headers={"Accept": "application/json", "Origin": origin},
        timeout=20,
    )
    assert answer.status_code == 200, re.sub(r"\s+", " ", answer.text)[:500]
    return int(answer.json()["status"])
