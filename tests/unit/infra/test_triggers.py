"""The triggers of the user pool, with the events that Cognito sends."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from infra.functions.triggers import authentication
from infra.functions.triggers.custom_message import LANGUAGES, written
from infra.functions.triggers.events import NotAllowed, domain_of
from infra.functions.triggers.post_confirmation import confirmed
from infra.functions.triggers.pre_sign_up import decided
from infra.functions.triggers.pre_token_generation import PERMISSIONS, Rules, generated
from tests.unit.infra import trigger_events as events

ROLE = "arn:aws:iam::123456789012:role/portico-"
RULES = Rules.of(
    {
        "GROUPS": json.dumps(
            {
                "Admin": {"precedence": 0, "role_arn": f"{ROLE}admin"},
                "Manager": {"precedence": 10, "role_arn": f"{ROLE}manager"},
                "TeamA": {"precedence": 20, "role_arn": f"{ROLE}team-a"},
                "TeamB": {"precedence": 20, "role_arn": f"{ROLE}team-b"},
                "Developer": {"precedence": 50, "role_arn": f"{ROLE}developer"},
                "Viewer": {"precedence": 99, "role_arn": f"{ROLE}viewer"},
            }
        ),
        "DEPARTMENT_GROUPS": '{"Engineering": "Developer"}',
        "SCOPES": '{"Admin": ["api/write", "api/read"], "Viewer": ["api/read"]}',
    }
)


class Joined:
    """Remembers who was added to which group; `fault` is raised instead."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.records: list[Mapping[str, Any]] = []
        self._fault = fault

    def join(self, user_pool_id: str, username: str, group: str) -> None:
        self.calls.append((user_pool_id, username, group))
        if self._fault:
            raise self._fault

    def record(self, item: Mapping[str, Any]) -> None:
        self.records.append(item)
        if self._fault:
            raise self._fault


# --- pre sign-up --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mail",
    ["a@example.com", "a@EXAMPLE.com", "a.b+c@example.com.", "a@bücher.example", "a@x.example"],
)
def test_allowed_domains_may_sign_up(mail: str) -> None:
    """The domain alone decides, in any case, also when it is no ASCII."""
    allowed = {"ALLOWED_DOMAINS": "example.com, xn--bcher-kva.example x.example"}
    event = decided(events.sign_up(mail), allowed)
    assert event["response"] == {
        "autoConfirmUser": False,
        "autoVerifyEmail": False,
        "autoVerifyPhone": False,
    }


@pytest.mark.parametrize(
    "mail",
    [
        "a@evil.com",
        "a@example.com.evil.com",
        "a@evilexample.com",
        "a@sub.example.com",
        "a@example.com@evil.com",
        "example.com",
        "@example.com",
        "a@",
        "",
        "a@exаmple.com",  # noqa: RUF001  the third letter is Cyrillic
    ],
)
def test_other_domains_may_not(mail: str) -> None:
    """Everything but the very domain is refused, with a sentence and not with the address."""
    with pytest.raises(NotAllowed) as refused:
        decided(events.sign_up(mail), {"ALLOWED_DOMAINS": "example.com"})
    assert "mail domains" in str(refused.value)
    assert not mail or mail not in str(refused.value)


def test_without_a_list_every_domain_may() -> None:
    """An empty list opens sign-up to every address, and still to none that is no address."""
    assert decided(events.sign_up("a@anywhere.example"), {})
    with pytest.raises(NotAllowed):
        decided(events.sign_up("anywhere"), {})


def test_auto_confirmed_domains() -> None:
    """Whose mail is ours is confirmed and verified at once; nobody else is."""
    sure = {"AUTO_CONFIRM_DOMAINS": "example.com"}
    response = decided(events.sign_up("a@example.com"), sure)["response"]
    assert (response["autoConfirmUser"], response["autoVerifyEmail"]) == (True, True)
    assert not decided(events.sign_up("a@other.example"), sure)["response"]["autoConfirmUser"]
    federated = events.sign_up("a@example.com", "PreSignUp_ExternalProvider")
    assert not decided(federated, sure)["response"]["autoConfirmUser"]


def test_an_administrator_invites_whom_they_like() -> None:
    """An invitation passes whatever its domain."""
    event = events.sign_up("a@evil.com", "PreSignUp_AdminCreateUser")
    assert decided(event, {"ALLOWED_DOMAINS": "example.com"}) is event


def test_domain_of_an_odd_address() -> None:
    """What is not one address has no domain, and none raises."""
    for mail in ("a@b@c", "@", "a@" + "x" * 300, "a@\udcff", "a@.."):
        domain_of(mail)
    assert domain_of("a@b@c") == ""


# --- pre token generation -----------------------------------------------------------------------


def _details(event: dict[str, Any], joined: Joined | None = None) -> dict[str, Any]:
    answered = generated(event, RULES, (joined or Joined()).join)
    details: dict[str, Any] = answered["response"]["claimsAndScopeOverrideDetails"]
    return details


def test_a_department_brings_its_group_at_once() -> None:
    """Engineering is a Developer in this very token, with the role, and for good."""
    joined = Joined()
    details = _details(events.token(custom__department="Engineering"), joined)
    assert details["groupOverrideDetails"] == {
        "groupsToOverride": ["Developer"],
        "iamRolesToOverride": [f"{ROLE}developer"],
        "preferredRole": f"{ROLE}developer",
    }
    assert joined.calls == [(events.POOL, events.SUB, "Developer")]


@pytest.mark.parametrize(
    ("groups", "preferred"),
    [(["Manager"], "manager"), (["Viewer"], "developer"), (["TeamA", "TeamB"], None)],
)
def test_precedence_decides_the_preferred_role(groups: list[str], preferred: str | None) -> None:
    """The lowest precedence wins, and between two equal ones nobody does."""
    event = events.token(groups, [f"{ROLE}{groups[0].lower()}"], custom__department="Engineering")
    details = _details(event)["groupOverrideDetails"]
    assert details["groupsToOverride"] == [*groups, "Developer"]
    assert details.get("preferredRole") == (f"{ROLE}{preferred}" if preferred else None)
    assert f"{ROLE}developer" in details["iamRolesToOverride"]


def test_who_is_in_the_group_already_keeps_all_roles() -> None:
    """A second sign-in joins nothing, and no role of the other groups is lost."""
    joined = Joined()
    event = events.token(["Viewer", "Developer"], custom__department="Engineering")
    details = _details(event, joined)["groupOverrideDetails"]
    assert joined.calls == []
    assert sorted(details["iamRolesToOverride"]) == [f"{ROLE}developer", f"{ROLE}viewer"]


@pytest.mark.parametrize("department", ["", "Sales", "engineering", "Engineering "])
def test_other_departments_change_no_group(department: str) -> None:
    """Without a department of the list the groups stay Cognito's affair."""
    details = _details(events.token(["Viewer"], custom__department=department))
    assert "groupOverrideDetails" not in details


def test_permissions_and_scopes() -> None:
    """Both tokens carry the permissions of all groups; the access token its groups' scopes."""
    details = _details(events.token(["Viewer", "Admin"]))
    permissions = "documents:delete documents:read documents:write"
    for kind in ("idTokenGeneration", "accessTokenGeneration"):
        assert details[kind]["claimsToAddOrOverride"] == {"permissions": permissions}
    assert details["accessTokenGeneration"]["scopesToAdd"] == ["api/read", "api/write"]
    nobody = _details(events.token())
    assert nobody["accessTokenGeneration"] == {"claimsToAddOrOverride": {"permissions": ""}}


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "AdminAddUserToGroup"),
        ConnectTimeoutError(endpoint_url="https://cognito-idp.us-east-1.amazonaws.com"),
    ],
)
def test_a_group_that_cannot_be_joined_stops_no_sign_in(fault: Exception) -> None:
    """The token has the group all the same; the next sign-in tries to join again."""
    details = _details(events.token(custom__department="Engineering"), Joined(fault))
    assert details["groupOverrideDetails"]["groupsToOverride"] == ["Developer"]


def test_permissions_name_groups_that_exist() -> None:
    """Every group with permissions is one of the stack's."""
    assert set(PERMISSIONS) <= set(RULES.precedence)


# --- post confirmation --------------------------------------------------------------------------


def test_a_new_person_is_recorded_and_grouped() -> None:
    """One record by sub, without the mail address, and the group that everybody begins in."""
    desk = Joined()
    event = events.confirmation()
    assert confirmed(event, desk, default_group="Viewer", now=lambda: 1_800_000_000.9) is event
    assert desk.records == [
        {
            "sub": {"S": events.SUB},
            "user_pool": {"S": events.POOL},
            "username": {"S": events.SUB},
            "confirmed_at": {"N": "1800000000"},
        }
    ]
    assert desk.calls == [(events.POOL, events.SUB, "Viewer")]


def test_a_new_password_makes_nobody_new() -> None:
    """A confirmed new password changes neither record nor groups."""
    desk = Joined()
    confirmed(
        events.confirmation("PostConfirmation_ConfirmForgotPassword"), desk, default_group="Viewer"
    )
    assert (desk.records, desk.calls) == ([], [])


def test_what_fails_after_confirmation_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Both things are tried, both faults logged by name, and the person goes on."""
    fault = ClientError({"Error": {"Code": "Throttling", "Message": events.MAIL}}, "PutItem")
    desk = Joined(fault)
    with caplog.at_level(logging.INFO, "portico.triggers"):
        confirmed(events.confirmation(), desk, default_group="Viewer")
    assert (len(desk.records), len(desk.calls)) == (1, 1)
    assert '"complete": false' in caplog.text
    assert events.MAIL not in caplog.text


# --- custom message -----------------------------------------------------------------------------

SOURCES = (
    "SignUp", "ResendCode", "ForgotPassword", "UpdateUserAttribute", "VerifyUserAttribute",
    "Authentication",
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("source", SOURCES)
def test_every_mail_holds_the_code(language: str, source: str) -> None:
    """Each mail in each language holds the placeholder once, and fits what Cognito takes."""
    event = events.mail(source, clientMetadata={"lang": language})
    response = written(event, product="Portico")["response"]
    assert response["emailMessage"].count("{####}") == 1
    assert len(response["emailMessage"]) < 20_000
    assert 0 < len(response["emailSubject"]) <= 140
    assert "Portico" in response["emailSubject"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_invitation_holds_name_and_password(language: str) -> None:
    """An invitation needs both placeholders, or Cognito refuses to send it."""
    event = events.mail(
        "AdminCreateUser", usernameParameter="{username}", attributes={"locale": language}
    )
    message = written(event, product="Portico")["response"]["emailMessage"]
    assert "{username}" in message
    assert "{####}" in message


def test_the_language_is_the_clients_then_the_persons_then_english() -> None:
    """A wish of the client wins over the person's locale; what is not known is English."""
    subjects = [
        written(events.mail("SignUp", **more), product="P")["response"]["emailSubject"]
        for more in (
            {"clientMetadata": {"lang": "fr-CA"}, "attributes": {"locale": "de"}},
            {"clientMetadata": None, "attributes": {"locale": "de_AT"}},
            {"clientMetadata": {"lang": "xx"}},
            {},
        )
    ]
    assert subjects == ["Votre code pour P", "Ihr Code für P", *["Your code for P"] * 2]


def test_an_unknown_mail_stays_cognitos_own() -> None:
    """A source that is not known leaves the answer empty."""
    event = events.mail("SomethingNew")
    assert written(event, product="P")["response"]["emailMessage"] is None


# --- authentication -----------------------------------------------------------------------------


def test_tries_and_successes_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """Each is one line of JSON with the sub and no attribute; the event goes back as it came."""
    tried = events.authentication("PreAuthentication_Authentication", userNotFound=False)
    done = events.authentication("PostAuthentication_Authentication", newDeviceUsed=True)
    with caplog.at_level(logging.INFO, "portico.triggers"):
        assert authentication.before(tried, None) is tried
        assert authentication.after(done, None) is done
    first, second = (json.loads(record.message) for record in caplog.records)
    assert (first["event"], first["unknown"], first["sub"]) == ("sign_in_tried", False, events.SUB)
    assert (second["event"], second["new_device"]) == ("signed_in", True)
    assert events.MAIL not in caplog.text


def test_a_try_for_nobody_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody who does not exist is a line without a name."""
    event = events.authentication("PreAuthentication_Authentication", userNotFound=True)
    event["request"]["userAttributes"] = {}
    with caplog.at_level(logging.INFO, "portico.triggers"):
        authentication.before(event, None)
    line = json.loads(caplog.records[0].message)
    assert (line["unknown"], line["sub"]) == (True, None)
