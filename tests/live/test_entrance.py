"""The sign-in pages of others, drawn here as AWS and the classic pages draw theirs; no network.

Our own pages are tried by the walks of `test_offline.py`.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.live.entrance import Entrance, SignInFailed
from tests.live.people import Person

pytestmark = pytest.mark.browser

APPLICATION = "http://portal.example.com"
LOGIN = "http://login.example.com"
ADA = Person("ada@example.com", "An0ther-secret!")

BUTTON = "<button type=button>Continue with Example</button>"
NAME = '<input type="text" name="username" autocomplete="username">'
PASSWORD = '<input type="password" name="password" autocomplete="current-password">'
NEXT = f'<form action="/password">{BUTTON}{NAME}<button type="submit">Next</button></form>'
THEN = f'<form action="/done">{PASSWORD}<button type="submit">Continue</button></form>'
BOTH = f'<form action="/done">{NAME}{PASSWORD}<input type="submit" value="Sign in"></form>'
DECOY = '<input type="password" tabindex="-1" style="opacity: 0">'
BY_SCRIPT = (
    "<main></main><script>const draw = () => document.querySelector('main').innerHTML = "
    f"`{BOTH}`; setTimeout(draw, 200)</script>"
)
PAGES = {
    "two-pages": {"/login": NEXT, "/password": THEN},
    "one-page": {"/login": BOTH},
    "classic": {"/login": f'<div style="display: none">{BOTH}</div><div>{BOTH}</div>'},
    "no-button": {"/login": f'<form action="/password">{NAME}</form>', "/password": THEN},
    "decoy": {"/login": NEXT.replace(NAME, NAME + DECOY), "/password": THEN},
    "drawn-by-script": {"/login": BY_SCRIPT},
}


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window of a fresh profile."""
    context = chromium.new_context()
    context.set_default_timeout(5_000)
    yield context.new_page()
    context.close()


def _serve(page: Page, pages: dict[str, str]) -> list[str]:
    """Answer for both sites; return the addresses of forms that were sent, as they come."""
    sent: list[str] = []

    def answer(route: Route) -> None:
        address = route.request.url
        path, _, query = address.removeprefix(LOGIN).partition("?")
        if query:
            sent.append(query)
        if path == "/done" and "/done" not in pages:
            route.fulfill(
                content_type="text/html",
                body=f"<script>location.replace('{APPLICATION}/callback')</script>",
            )
        else:
            route.fulfill(content_type="text/html", body=pages.get(path, "<p>Here</p>"))

    page.route("**/*", answer)
    page.goto(f"{LOGIN}/login")
    return sent


@pytest.mark.parametrize("kind", PAGES)
def test_name_and_password_are_given(page: Page, kind: str) -> None:
    """On one page or on two, with a hidden copy or without a button, the window is back."""
    sent = _serve(page, PAGES[kind])
    entrance = Entrance(page, APPLICATION)
    assert entrance.asks
    entrance.enter(ADA)
    assert page.url == f"{APPLICATION}/callback"
    assert "&".join(sent) == "username=ada%40example.com&password=An0ther-secret%21"
    assert not entrance.asks


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("<p role=alert>Incorrect username or password.</p>", "It shows: Incorrect username"),
        ('<input name="totp_code" autocomplete="one-time-code">', "no second factor"),
        (f"{PASSWORD}<input type=password name=new_password>", "choose a new password first"),
    ],
)
def test_what_stands_in_the_way_is_told(page: Page, shown: str, said: str) -> None:
    """A page that does not lead back is told in a sentence, without the password."""
    _serve(page, {"/login": BOTH, "/done": shown})
    with pytest.raises(SignInFailed, match=said) as problem:
        Entrance(page, APPLICATION, deadline_seconds=1.0).enter(ADA)
    assert ADA.password not in str(problem.value)


def test_a_field_that_takes_nothing_tells_no_password(page: Page) -> None:
    """The error of the browser's driver, which quotes what was typed, does not come through."""
    shut = BOTH.replace('type="password"', 'type="password" disabled')
    _serve(page, {"/login": shut})
    page.context.set_default_timeout(300)
    with pytest.raises(SignInFailed, match="takes no text") as problem:
        Entrance(page, APPLICATION).enter(ADA)
    assert ADA.password not in str(problem.value)
    assert problem.value.__suppress_context__
