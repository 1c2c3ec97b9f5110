"""The guided tour where there is a demo, and its absence where there is none."""

from typing import Any

import pytest

from tests.doubles.browser import Browser
from tests.rig import Rig
from webapp.app import create_app
from webapp.tour import STEPS, steps_at

PANEL = 'class="tour"'


def _outside_the_demo(rig: Rig) -> Browser:
    changes: dict[str, Any] = {
        "aws_endpoint_url_cognito_identity_provider": "https://cognito-idp.eu-west-1.amazonaws.com",
        "cognito_discovery_url": rig.settings.discovery_url,
    }
    app = create_app(rig.settings.model_copy(update=changes), rig.services, now=rig.clock)
    return Browser.for_app(app, rig.base_url, issuer=rig.cognito.issuer, now=rig.clock)


def test_all_steps_on_one_page(rig: Rig) -> None:
    """Everybody may print the tour of a demo; it reads no session and sets no cookie."""
    answer = rig.browser().get("/tour")
    assert answer.status == 200
    for step in STEPS:
        assert step.title in answer.page.text
        assert step.tell in answer.page.text
    assert answer.header_values("Set-Cookie") == []


@pytest.mark.parametrize("signed_in", [False, True])
def test_each_page_has_its_own_steps(rig: Rig, signed_in: bool) -> None:
    """The panel holds the steps that lead over the page, for somebody signed in or not."""
    browser = rig.signed_in("viewer") if signed_in else rig.browser()
    for path in ("/", "/api", *(("/session", "/credentials", "/sessions") if signed_in else ())):
        text = browser.get(path).page.text
        for step in STEPS:
            expected = step in steps_at(path, signed_in)
            assert (step.tell in text) is expected, (path, step.title)


def test_no_tour_outside_the_demo(rig: Rig) -> None:
    """Over a real AWS there is neither page nor panel: its people are the demo's."""
    browser = _outside_the_demo(rig)
    assert browser.get("/tour").status == 404
    assert PANEL not in browser.get("/").text
    assert PANEL in rig.browser().get("/").text
