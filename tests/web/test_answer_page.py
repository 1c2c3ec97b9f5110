"""The page of an answer: what it tells holds, and what it must not tell is not there."""

import re
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.doubles.browser import Browser
from tests.doubles.response import Page, text_of
from tests.rig import Rig
from webapp.records import AwsKeys, SessionRecord


def _answer(
    browser: Browser, endpoint: str, identity: str, console: str = "/api", **values: str
) -> Page:
    form = browser.get(console).page.form("/api/call", endpoint=endpoint)
    response = browser.post("/api/call", form.fields | values | {"identity": identity})
    assert response.status == 200
    return response.page


def _blocks(page: Page) -> dict[str, str]:
    """The texts for copying, by their names."""
    return {
        element.attrib["data-copy"]: "".join(element.itertext()).strip()
        for element in page.elements("div")
        if "data-copy" in element.attrib
    }


def _record(rig: Rig, browser: Browser) -> SessionRecord:
    ticket = next(one for one in reversed(browser.cookies.history) if one.name == "portico")
    session = rig.services.vault.open(ticket.value)
    assert session is not None
    return session.record


class _AsGiven(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
    """Signs just the headers that it is given."""

    def headers_to_sign(self, request: Any) -> Any:
        """All of them: the page says which were signed."""
        return request.headers


def _signature(page: Page, blocks: dict[str, str], keys: AwsKeys) -> str:
    """Botocore's signature of what the page tells, the session token put back by hand."""
    canonical = re.sub(
        r"(?m)^(x-amz-security-token:).*$",
        rf"\g<1>{keys.session_token}",
        blocks["Canonical request"],
    )
    method, _, _, *rest = canonical.split("\n")
    address = re.search(r"http://127\.0\.0\.1:\d+/\S+", page.text)
    assert address is not None
    body = blocks.get("Body of the request")
    request = AWSRequest(method, address[0], data=body.encode() if body else None)
    for line in rest[: rest.index("")]:
        name, _, value = line.partition(":")
        request.headers[name] = value
    _, stamp, scope, _ = blocks["String to sign"].split("\n")
    request.context["timestamp"] = stamp
    _, region, service, _ = scope.split("/")
    judge = _AsGiven(Credentials(keys.access_key_id, keys.secret_access_key), service, region)
    assert judge.canonical_request(request) == canonical
    assert judge.string_to_sign(request, canonical) == blocks["String to sign"]
    return str(judge.signature(blocks["String to sign"], request))


@pytest.mark.parametrize("endpoint", ["secure", "vip", "document-read", "document-write"])
def test_AP_06_signature_on_the_page(rig: Rig, endpoint: str) -> None:
    """The signature on the page is what botocore makes of the page's own text."""
    browser = rig.signed_in("admin")
    page = _answer(browser, endpoint, "user", text="Ein Käse\n<b>&'\"")
    keys = _record(rig, browser).user_keys
    assert keys is not None
    blocks = _blocks(page)
    assert blocks["Signature"] == _signature(page, blocks, keys)
    assert f"Signature={blocks['Signature']}" in page.text


@pytest.mark.parametrize("identity", ["nobody", "guest", "user", "bearer-access", "bearer-id"])
def test_CR_13_the_page_gives_no_power(rig: Rig, identity: str) -> None:
    """No key and no token is anywhere in an answer's page, its copies included."""
    browser = rig.signed_in("both")
    page = _answer(browser, "whoami", identity)
    record = _record(rig, browser)
    assert record.tokens is not None
    held = [one for one in (record.user_keys, record.guest_keys) if one]
    secrets = [record.tokens.id_token, record.tokens.access_token]
    secrets.append(record.tokens.refresh_token or "no refresh token")
    blocks = _blocks(page)
    for keys in held:
        secrets += [keys.secret_access_key, keys.session_token]
        # The double's /whoami tells the access key id; nothing else on the page does.
        told = {name: text for name, text in blocks.items() if not name.startswith("Body")}
        assert keys.access_key_id not in repr(told)
    for secret in secrets:
        assert secret not in page.text
        assert secret not in repr(blocks)


def test_a_panel_for_whom_it_fits(rig: Rig) -> None:
    """Only a signed call has steps and a copy for the AWS CLI; a token is named, not shown."""
    browser = rig.signed_in("admin")
    signed = _blocks(_answer(browser, "secure", "user"))
    assert {"Canonical request", "The call for AWS CLI", "The call for curl"} <= set(signed)
    bearer = _blocks(_answer(browser, "protected", "bearer-access"))
    assert "Canonical request" not in bearer
    assert "The call for AWS CLI" not in bearer
    assert "Bearer $ACCESS_TOKEN" in bearer["The call for curl"]


def test_the_body_laid_out_and_as_it_came(rig: Rig) -> None:
    """JSON is there laid out and, byte for byte, as it came; text is there once."""
    browser = rig.signed_in("admin")
    rig.cognito.api["secure"].answer(
        200, '{"b":1,  "a":[]}', headers=[("Content-Type", "application/json")]
    )
    blocks = _blocks(_answer(browser, "secure", "user"))
    assert blocks["Body of the answer"] == '{\n  "b": 1,\n  "a": []\n}'
    assert blocks["Body as it came"] == '{"b":1,  "a":[]}'
    rig.cognito.api["secure"].answer(200, "plain words", headers=[("Content-Type", "text/plain")])
    blocks = _blocks(_answer(browser, "secure", "user"))
    assert blocks["Body of the answer"] == "plain words"
    assert "Body as it came" not in blocks


def test_where_the_time_went(rig: Rig) -> None:
    """The first signed call tells of fetching keys; both kinds of time are in the JSON as well."""
    browser = rig.signed_in("admin")
    first = browser.call("secure", "user").json()
    again = browser.call("secure", "user").json()
    open_call = browser.call("test-plain", "nobody").json()
    assert first["split"]["credentials"] > again["split"]["credentials"]
    assert again["split"]["signing"] > 0
    assert open_call["split"]["signing"] == 0
    assert first["split"]["network"] == first["milliseconds"]
    assert "Where the time went" in _answer(browser, "secure", "user").text


def test_a_refusal_tells_who_would_get_in(rig: Rig) -> None:
    """A 403 names the statement that is missing, and whom of this person's it would let in."""
    page = _answer(rig.signed_in("admin"), "vip", "guest")
    assert "Who of yours would get in" in page.text
    assert "signed-in user, role portico-admin" in page.text
    assert '"Action": "execute-api:Invoke"' in _blocks(page)["Statement that is missing"]
    nobody = _answer(rig.browser(), "vip", "nobody")
    assert "Who of yours would get in" not in nobody.text
    assert "Statement that is missing" not in _blocks(nobody)


def test_the_backends_own_rule(rig: Rig) -> None:
    """What the backend decided about a document is told by its rule, on the page and in JSON."""
    browser = rig.signed_in("viewer")
    page = _answer(browser, "document-read", "user")
    assert "viewer_group" in page.text
    assert "to the backend, whose rule viewer_group decided" in page.text
    told = browser.call("document-read", "user", id="handbook").json()
    assert told["rule"] == "viewer_group"


def test_OU_01_an_authorizers_hostile_words(rig: Rig) -> None:
    """What an authorizer says is shown as text, on one line and not longer than a line or two."""
    words = 'Bearer error="<script>alert(1)</script>" ' + "x" * 2_000
    rig.cognito.api["protected"].answer(
        401, {"message": "no"}, headers=[("WWW-Authenticate", words)]
    )
    page = _answer(rig.signed_in("admin"), "protected", "bearer-access")
    assert "In the authorizer's own words" in page.text
    assert not [one for one in page.elements("script") if "src" not in one.attrib]
    assert "x" * 400 not in text_of(next(one for one in page.elements("dl")))


def test_values_of_a_document_go_with_the_next_call(rig: Rig) -> None:
    """All fields, with their line breaks, stand behind the buttons of the answer's page."""
    browser = rig.signed_in("admin")
    text = "one\ntwo"
    page = _answer(browser, "document-write", "user", text=text, title="T")
    fields = page.form("/api/call", endpoint="document-write").fields
    assert (fields["text"], fields["title"], fields["id"]) == (text, "T", "budget")
