"""The fourth walk: every endpoint of the catalogue as each identity."""

import re

import pytest

from tests.browser.visitor import IDENTITIES, Visitor

# What each identity must get, in the order of IDENTITIES: nobody, guest, user, access, ID token.
# Written down here once more, so that a mistake in the catalogue cannot excuse itself.
DOORS = {
    "test-plain": (200, 200, 200, 200, 200),
    "test-public": (403, 200, 200, 403, 403),
    "test-auth": (403, 403, 200, 403, 403),
    "secure": (403, 403, 200, 403, 403),
    "vip": (403, 403, 403, 403, 403),
    "protected": (401, 401, 401, 200, 403),
    "whoami": (403, 403, 200, 403, 403),
}
ADMINS_DOORS = {**DOORS, "vip": (403, 403, 200, 403, 403)}


# One of the two on a desktop, the other on a phone: the buttons are the same forms.
@pytest.mark.parametrize(
    ("name", "doors", "scripts"),
    [("admin", ADMINS_DOORS, True), ("viewer", DOORS, False)],
    ids=["admin-desktop-script", "viewer-phone-no-script"],
)
def test_every_door_answers_as_its_button_says(
    visitor: Visitor, name: str, doors: dict[str, tuple[int, ...]]
) -> None:
    """The status is the expected one: by our table, by the button, and by the answer's page."""
    visitor.sign_in(visitor.demo.person(name), path="/login?next=/api")
    visitor.shot(f"4-console-{name}")
    assert _told(visitor) == doors
    for endpoint, statuses in doors.items():
        for identity, status in zip(IDENTITIES, statuses, strict=True):
            assert visitor.call(endpoint, identity) == status, (endpoint, identity)
            assert visitor.page.locator(".verdict").get_by_text("as expected").is_visible(), (
                endpoint,
                identity,
            )
        if endpoint in ("vip", "protected"):
            visitor.shot(f"4-{name}-{endpoint}")


@pytest.mark.parametrize(
    ("name", "scripts"), [("manager", False), ("nobody", True), ("both", False)]
)
def test_vip_is_the_admins_alone(visitor: Visitor, name: str) -> None:
    """Whoever is not in the group gets a 403 with its reason, and /whoami tells the role."""
    visitor.sign_in(visitor.demo.person(name), path="/login?next=/api")
    assert visitor.call("vip", "user") == 403
    assert "What would be let in" in visitor.page.locator(".why").inner_text()
    visitor.shot(f"4-vip-{name}")
    assert visitor.call("whoami", "user") == 200
    role = "portico-manager" if name == "manager" else "portico-authenticated"
    assert role in visitor.page.get_by_role("group", name="Body of the answer").inner_text()


def test_the_answer_is_told_in_full(visitor: Visitor) -> None:
    """Status, time, headers, body and the request are there; secrets in it are cut."""
    person = visitor.demo.person("admin")
    visitor.sign_in(person, path="/login?next=/api")
    assert visitor.call("whoami", "user") == 200
    assert re.search(r"\d+\.\d ms", visitor.text)
    assert person.email in visitor.page.get_by_role("group", name="Body of the answer").inner_text()
    assert (
        "application/json"
        in visitor.page.get_by_role("group", name="Headers of the answer").inner_text()
    )
    sent = visitor.page.get_by_role("group", name="Headers of the request").inner_text()
    assert "AWS4-HMAC-SHA256" in sent
    assert re.search(r"Signature=[0-9a-f]{64}", sent)
    assert re.search(r"(?i)x-amz-security-token\s+\(\d+ characters", sent)
    visitor.shot("4-whoami")


def test_a_parameter_goes_with_the_call(visitor: Visitor) -> None:
    """What is typed into the console arrives in the request, percent-encoded."""
    visitor.go("/api")
    visitor.page.locator("#test-plain-note").fill("a b&c")
    visitor.press(visitor.page.locator("#test-plain button[value=nobody]"))
    assert visitor.title.startswith("200")
    assert "/test/plain?note=a%20b%26c" in visitor.text
    visitor.press(visitor.page.locator(".again button[value=guest]"))
    assert visitor.title.startswith("200")
    assert "/test/plain?note=a%20b%26c" in visitor.text


def _told(visitor: Visitor) -> dict[str, tuple[int, ...]]:
    """Return what the console's buttons say, by endpoint; roles left out."""
    doors = {}
    for endpoint in DOORS:
        buttons = visitor.page.locator(f"#{endpoint} .callers-in")
        texts = [buttons.locator(f"button[value={name}]").inner_text() for name in IDENTITIES]
        doors[endpoint] = tuple(int(text.split()[-1]) for text in texts)
    return doors
