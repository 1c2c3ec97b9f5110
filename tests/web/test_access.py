"""The access matrix over the doubles: as expected for everybody, red where something differs."""

from dataclasses import replace
from typing import Any

import pytest

from tests.doubles.browser import Browser
from tests.doubles.users import TEAM_A_ROLE, TEAM_B_ROLE
from tests.rig import Rig
from webapp.api.catalogue import ENDPOINTS
from webapp.api.endpoint import Endpoint
from webapp.api.rows import Row, rows

JSON = {"Accept": "application/json"}
GUARDED = tuple(one for one in ENDPOINTS if one.roles)
ROWS = rows(demo=True)
PEOPLE = (None, "admin", "manager", "viewer", "nobody", "both")
ROLES = {
    "admin": ["portico-admin"],
    "manager": ["portico-manager"],
    "viewer": ["portico-viewer"],
    "both": ["portico-team-a", "portico-team-b"],
}


def _visitor(rig: Rig, person: str | None) -> Browser:
    return rig.signed_in(person) if person else rig.browser()


def _run(browser: Browser) -> dict[str, Any]:
    answer = browser.post("/access", {"csrf_token": browser.csrf()}, json=True)
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("person", PEOPLE)
def test_everything_is_as_expected(rig: Rig, person: str | None) -> None:
    """For a stranger and each person every cell is as expected, and no document was touched."""
    matrix = _run(_visitor(rig, person))
    wrong = [one for one in matrix["cells"] if one["verdict"] != "as expected"]
    assert wrong == []
    assert matrix["all_as_expected"] is True
    names = [one["name"] for one in matrix["callers"]]
    roles = [f"role:{name}" for name in ROLES.get(person or "", ())]
    inside = ["user", *roles, "bearer-access", "bearer-id"] if person else []
    assert names == ["nobody", "guest", *inside]
    assert {one["endpoint"] for one in matrix["cells"]} == {one.name for one in ENDPOINTS}
    assert len(rig.cognito.api.calls) == len(matrix["cells"])
    assert rig.cognito.api.documents.written == []


def test_the_plan_calls_nothing(rig: Rig) -> None:
    """GET tells the expectations, as page and as JSON, without a call, a guest or a cookie."""
    browser = rig.browser()
    plan = browser.get("/access", headers=JSON)
    told = plan.json()
    assert told["all_as_expected"] is told["seconds"] is None
    assert {one["verdict"] for one in told["cells"]} == {"not called"}
    by_cell = {(one["endpoint"], one["identity"]): one["expected"] for one in told["cells"]}
    assert by_cell["test-public", "nobody"] == 403
    assert by_cell["test-public", "guest"] == 200
    page = browser.get("/access")
    assert page.status == 200
    assert page.page.heading == "Access"
    assert browser.cookies.names == []
    assert (rig.cognito.api.calls, rig.cognito.vault.issued) == ([], [])
    browser.post("/access", {"csrf_token": told["csrf_token"]}, json=True)
    assert len(rig.cognito.vault.issued) == 1


def test_what_differs_stands_out(rig: Rig) -> None:
    """An endpoint that answers otherwise is named on the page, in words; the JSON is not green."""
    browser = rig.signed_in("viewer")
    rig.cognito.api["vip"].answer(200)
    rig.cognito.api["secure"].answer(502)
    matrix = _run(browser)
    wrong = {
        (one["endpoint"], one["identity"])
        for one in matrix["cells"]
        if one["verdict"] != "as expected"
    }
    everybody = {one["name"] for one in matrix["callers"]}
    assert wrong == {(name, one) for name in ("vip", "secure") for one in everybody}
    assert matrix["all_as_expected"] is False
    page = browser.post("/access", {"csrf_token": browser.csrf()}).page
    assert "expected 403, got 200" in page.text
    assert "expected 200, got 502" in page.text
    assert "did not come out as expected" in page.text


@pytest.mark.parametrize("endpoint", GUARDED, ids=lambda one: str(one.name))
def test_red_when_one_expectation_is_changed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint
) -> None:
    """Whichever endpoint's expectation for one role is changed, its cells are red and no others."""
    changed = replace(endpoint, roles=endpoint.roles - {"admin"})
    lines = [Row(changed, one.values) if one.endpoint is endpoint else one for one in ROWS]
    monkeypatch.setattr(rig.services.access, "_rows", lines)
    matrix = _run(rig.signed_in("admin"))
    wrong = [one for one in matrix["cells"] if one["verdict"] == "different"]
    assert {one["endpoint"] for one in wrong} == {endpoint.name}
    assert {one["identity"] for one in wrong} == {"user", "role:portico-admin"}
    assert matrix["all_as_expected"] is False


def test_a_dead_api_is_told_in_the_cells(rig: Rig) -> None:
    """Without an answer a cell says so, the page stands, and the breaker spares the rest."""
    browser = rig.signed_in("viewer")
    rig.cognito.api["secure"].always.reset()
    matrix = _run(browser)
    troubles = [one for one in matrix["cells"] if one["verdict"] == "no answer"]
    assert {one["endpoint"] for one in troubles} >= {"secure"}
    assert {one["error"]["code"] for one in troubles} <= {"api_unavailable", "api_resting"}
    page = browser.post("/access", {"csrf_token": browser.csrf()})
    assert page.status == 200
    assert "no answer" in page.page.text


def test_a_run_needs_proof(rig: Rig) -> None:
    """Without the form's own proof, or from another site, nothing is run and no guest is made."""
    browser = rig.signed_in("viewer")
    proof = {"csrf_token": browser.csrf()}
    stranger = rig.browser()
    for answer in (
        browser.post("/access", {}),
        browser.post("/access", {"csrf_token": "0" * 43}),
        browser.post("/access", proof, headers={"Origin": "https://evil.example"}),
        stranger.post("/access", proof),
    ):
        assert answer.status == 403
    assert (rig.cognito.api.calls, rig.cognito.vault.issued) == ([], [])
    assert stranger.cookies.names == []


def test_a_run_as_a_file(rig: Rig) -> None:
    """The second button answers with a file, kept by nobody, that holds the results."""
    browser = rig.browser()
    form = browser.get("/access").page.form("/access")
    answer = browser.post("/access", form.fields | {"as": "file"})
    assert answer.header("Content-Disposition") == 'attachment; filename="access-matrix.json"'
    assert "no-store" in (answer.header("Cache-Control") or "")
    assert answer.json()["all_as_expected"] is True


def test_the_page_holds_no_secret(rig: Rig) -> None:
    """Neither page nor JSON of a run shows a key, a token or a signature."""
    browser = rig.signed_in("both")
    proof = {"csrf_token": browser.csrf()}
    for wants_json in (True, False):
        text = browser.post("/access", proof, json=wants_json).text
        assert "eyJ" not in text
        assert "AWS4" not in text
        for keys in rig.cognito.vault.issued:
            assert keys.secret_key not in text
            assert keys.session_token not in text
            assert keys.access_key not in text


def test_keys_of_a_run_are_not_kept(rig: Rig) -> None:
    """Roles get keys for the run alone; a second run asks for theirs again and for no others."""
    browser = rig.signed_in("both")
    _run(browser)
    first = rig.cognito.pool.get_credentials.count
    _run(browser)
    again = [one.json() for one in rig.cognito.pool.get_credentials.requests[first:]]
    assert {one.get("CustomRoleArn") for one in again} == {TEAM_A_ROLE, TEAM_B_ROLE}
    assert browser.call("whoami", "user").json()["role"] is None
