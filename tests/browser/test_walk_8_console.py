"""The eighth walk: an answer read to the bottom, its signature recomputed, two calls compared."""

import re
import subprocess
import sys

from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor


def _open(visitor: Visitor, name: str) -> Locator:
    """Fold a part of the page out, by a click as a person would; return it."""
    part = visitor.page.locator("main details.fold", has=visitor.page.get_by_text(name)).first
    part.locator("summary").first.click()
    return part


def _block(visitor: Visitor, name: str) -> str:
    return visitor.page.get_by_role("group", name=name, exact=True).inner_text()


def test_the_signature_is_checked_by_hand(visitor: Visitor) -> None:
    """The steps of the real call unfold; the page's own program finds the rehearsal's signature."""
    visitor.sign_in(visitor.demo.person("manager"), path="/login?next=/api")
    assert visitor.call("document-read", "user") == 200
    _open(visitor, "Show the four steps")
    canonical = _block(visitor, "Canonical request")
    assert canonical.startswith("GET\n")
    assert re.search(r"x-amz-security-token:\(\d+ characters, kept on the server\)", canonical)
    assert _block(visitor, "Signature") in _block(visitor, "Headers of the request")
    _open(visitor, "Check it by hand")
    program = _block(visitor, "Program that recomputes the signature")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == _block(visitor, "Signature, under example keys")
    for copy in ("curl", "Python", "AWS CLI"):
        _open(visitor, copy)
    visitor.inspect()
    visitor.shot("8-signature")


def test_the_body_two_ways(visitor: Visitor) -> None:
    """The body is switched between laid out and as it came, without a script as well."""
    visitor.sign_in(visitor.demo.person("admin"), path="/login?next=/api")
    visitor.call("whoami", "user")
    expect(visitor.page.get_by_role("group", name="Body of the answer")).to_be_visible()
    visitor.page.get_by_role("radio", name="As it came").check()
    expect(visitor.page.get_by_role("group", name="Body of the answer")).to_be_hidden()
    assert _block(visitor, "Body as it came").startswith('{"')
    visitor.page.get_by_role("radio", name="Laid out").check()
    assert _block(visitor, "Body of the answer").startswith('{\n  "')


def test_a_document_with_its_fields(visitor: Visitor) -> None:
    """A document is written from its fields; the backend's rule refuses to delete it."""
    visitor.sign_in(visitor.demo.new_person("Manager"), path="/login?next=/api")
    door = visitor.page.locator("#document-write")
    visitor.page.locator("#document-write-text").fill("Two\nlines")
    visitor.press(door.locator("button[value=user]"))
    assert visitor.title.startswith("200")
    assert r"Two\nlines" in _block(visitor, "Body of the answer")
    assert "manager_group" in visitor.page.locator(".why").inner_text()
    visitor.go("/api")
    door = visitor.page.locator("#document-delete")
    visitor.page.locator("#document-delete-id").fill("budget")
    visitor.press(door.locator("button[value=user]"))
    assert visitor.title.startswith("403")
    assert "manager_deletes_nothing" in visitor.page.locator(".why").inner_text()
    visitor.shot("8-document")


def test_two_calls_beside_each_other(visitor: Visitor) -> None:
    """The list of the last calls grows; two of them are chosen and laid beside each other."""
    visitor.sign_in(visitor.demo.person("both"), path="/login?next=/api")
    for identity in ("role:portico-team-a", "role:portico-team-b", "guest"):
        visitor.call("test-auth", identity)
    visitor.go("/api#history")
    table = visitor.page.locator(".history tbody tr")
    assert table.count() == 3
    visitor.page.get_by_label("Call 2 as the one").check()
    visitor.page.get_by_label("Call 1 as the other").check()
    visitor.press("Lay the two beside each other")
    assert visitor.path == "/api/compare?a=2&b=1"
    status = visitor.page.locator(".compare tr", has=visitor.page.get_by_text("Status")).first
    assert "differs" in status.inner_text()
    assert "portico-team-b" in visitor.text
    visitor.shot("8-compare")
    visitor.sign_out("app")
    visitor.go("/api/compare?a=2&b=1")
    assert "No call was made in this session" in visitor.text
