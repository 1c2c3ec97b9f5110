"""The inspection of every page finds what it looks for: a fault is planted, and it speaks."""

import pytest
from playwright.sync_api import Route

from tests.browser.conftest import NewVisitor

_STRICT = {"Content-Security-Policy": "default-src 'none'; img-src 'self'; script-src 'self'"}
_FAULTS = {
    "refused script": ("<script>1</script>", _STRICT, "Content Security Policy"),
    "refused style": ("<p style='color: red'>x</p>", _STRICT, "Content Security Policy"),
    "failing script": ("<script>throw new Error('planted')</script>", {}, "planted"),
    "part that is missing": ("<img src='/static/none.png' alt=''>", _STRICT, "404"),
    "token": ("<p>eyJhbGciOiJub25lIn0</p>", {}, "a token stands in the page"),
    "too wide": ("<pre>" + "x" * 500 + "</pre>", {}, "wide in a window"),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_each_fault_is_found(new_visitor: NewVisitor, fault: str) -> None:
    """A page with one planted fault does not pass."""
    body, headers, complaint = _FAULTS[fault]
    visitor = new_visitor()

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", headers=headers, body=f"<title>t</title>{body}")

    visitor.context.route("**/planted", answer)
    with pytest.raises(AssertionError, match=complaint):
        visitor.go("/planted")
