"""What is proved of an account; a module of tests brings the `crowd` and inherits the rest.

In this order: who may do what, with a session for each person; then the walks, which end them.
"""

import re
import secrets
import time
from contextlib import ExitStack
from typing import Any, ClassVar

from tests.live import documents, promises
from tests.live.crowd import Crowd
from tests.live.documents import DocumentReader
from tests.live.people import Person
from tests.live.visitor import LiveVisitor
from webapp.api.catalogue import ENDPOINTS
from webapp.api.identities import LABELS, Caller, Identity
from webapp.api.standing import Standing

# Documents are asked for by name, in a proof of their own.
MATRIX = tuple(one for one in ENDPOINTS if "{" not in one.path)
OUTSIDE: tuple[Identity, ...] = ("nobody", "guest")
MOST_DOCUMENTS = 20
CHECKS = ("Signature", "iss", "aud", "client_id", "token_use", "exp", "iat", "nonce", "sub")
BY_SHARE = {"collaborator", "grant"}


class AccountProofs:
    """Inherited with a fixture `crowd` at hand."""

    least_documents: ClassVar[int] = 0
    """How many documents there must be; a real account may have none."""

    def test_the_doctor_finds_nothing_to_change(self, crowd: Crowd) -> None:
        """Settings, pools, client and API fit each other, as far as the doctor may look."""
        status, found = crowd.account.examined()
        assert [one for one in found if one["verdict"] == "change"] == []
        assert status == 0
        assert len(found) > 1

    def test_the_access_matrix_from_outside(self, crowd: Crowd) -> None:
        """Nobody and a guest get what the stack promises at every endpoint, in a fresh browser."""
        stranger = crowd.stranger()
        for identity in OUTSIDE:
            _held_to_the_matrix(crowd, stranger, identity, None)
        assert stranger.me()["signed_in"] is False

    def test_the_access_matrix_of_each_person(self, crowd: Crowd) -> None:
        """Each person's signature, access token and ID token get what role and route promise."""
        for person in crowd.account.people:
            visitor = crowd.of(person)
            me = visitor.me()
            assert me["email"].casefold() == person.email.casefold()
            assert sorted(me["groups"]) == sorted(person.groups), person
            for identity in LABELS:
                if identity not in OUTSIDE:
                    _held_to_the_matrix(crowd, visitor, identity, person)
            seen = visitor.called("whoami", "user")["body"]["caller"]
            assert (seen["role"], seen["sub"]) == (_role_name(crowd, person), me["sub"]), person

    def test_documents_by_rule(self, crowd: Crowd) -> None:
        """Everybody reads just the documents that role and rules allow, each by its rule."""
        people, known = crowd.account.people, dict[str, dict[str, Any]]()
        with ExitStack() as tokens:
            readers = {
                person: tokens.enter_context(documents.reader_of(crowd.of(person), crowd.account))
                for person in people
            }
            mine = {person: _read_all(readers[person], known) for person in people}
            assert len(known) >= self.least_documents
            for person, reader in readers.items():
                _refused_the_rest(reader, known.keys() - mine[person])
                _stopped_by_the_role(crowd, person, reader)
        for reader in (DocumentReader(crowd.account.settings), documents.guest(crowd.account)):
            for path in ("/documents", *(f"/documents/{name}" for name in known)):
                assert reader.get(path)[0] == 403

    def test_the_walk_outside(self, crowd: Crowd) -> None:
        """Somebody unknown looks around, calls as nobody and as a guest, and is told why not."""
        visitor = crowd.stranger()
        assert visitor.go("/") == 200
        assert visitor.signed_in_as() is None
        visitor.press("Try as a guest")
        assert visitor.path == "/api"
        assert visitor.call("test-plain", "nobody") == 200
        assert visitor.call("test-public", "guest") == 200
        assert f"{crowd.account.stack.name}-guest" in visitor.text
        assert visitor.call("test-auth", "guest") == 403
        assert "Why the answer was no" in visitor.text
        assert visitor.go("/nowhere-at-all") == 404
        visitor.page.goto(f"{crowd.origin}/session")
        assert visitor.asked_to_sign_in

    def test_the_walk_inside(self, crowd: Crowd) -> None:
        """In by the page that was wanted, through every page, and another browser ended."""
        person = crowd.account.people[0]
        other, visitor = crowd.of(person), crowd.stranger()
        visitor.sign_in(person, path="/credentials")
        assert visitor.path == "/credentials"
        assert _is_in(visitor, person)
        assert re.search(rf"Identity id {crowd.account.settings.aws_region}:[0-9a-f]", visitor.text)
        _through_the_session_page(visitor)
        assert visitor.call("whoami", "user") == 200
        assert visitor.page.locator(".verdict").get_by_text("as expected").is_visible()
        body = visitor.page.get_by_role("group", name="Body of the answer").inner_text()
        assert _role_name(crowd, person) in body

        visitor.go("/sessions")
        assert visitor.page.locator(".device-mine").count() == 1
        assert visitor.page.locator(".device").count() > 1
        visitor.press("End all others")
        assert visitor.page.locator(".device").count() == 1
        other.go("/")
        assert other.signed_in_as() is None
        assert _is_in(visitor, person)

    def test_the_walk_out_in_four_depths(self, crowd: Crowd) -> None:
        """Cognito asks again after each way out but the shallowest; the deepest reaches a browser
        elsewhere."""
        person = crowd.account.people[-1]
        visitor = crowd.stranger()
        visitor.sign_in(person)
        visitor.sign_out("app")
        assert visitor.signed_in_as() is None
        assert "Cognito still knows you" in visitor.text
        visitor.press("Sign in")
        assert _is_in(visitor, person)

        visitor.sign_out("cognito")
        assert "You are signed out here and at Cognito in this browser." in visitor.text
        visitor.press("Sign in")
        assert visitor.asked_to_sign_in
        visitor.enter(person)

        visitor.sign_out("switch")
        assert visitor.asked_to_sign_in
        visitor.enter(person)

        other = crowd.stranger()
        other.sign_in(person)
        visitor.sign_out("everywhere")
        assert "Portico's sessions elsewhere have ended" in visitor.text
        visitor.press("Sign in")
        assert visitor.asked_to_sign_in
        other.go("/")
        assert other.signed_in_as() is None


def _held_to_the_matrix(
    crowd: Crowd, visitor: LiveVisitor, identity: Identity, person: Person | None
) -> None:
    """Call every endpoint as this identity; all that differs from the promise is told at once."""
    stack, groups = crowd.account.stack, person.groups if person else ()
    role, scopes = promises.role_of(stack, groups), crowd.account.settings.cognito_scopes
    standing = Standing(stack.resource(role), groups=tuple(groups)) if person else None
    # A guest's first call begins a session, and with it other forms.
    intent, wrong = visitor.intent() if person else None, []
    for endpoint in MATRIX:
        route = promises.route_of(stack, endpoint)
        promised = promises.status(stack, route, identity, role, scopes)
        told = endpoint.expects(Caller(identity), standing)
        got = visitor.called(endpoint.name, identity, intent)["status"]
        if got != promised or told != promised:
            wrong.append(f"{endpoint.name}: {got}, promised {promised}, catalogue {told}")
    assert not wrong, f"{person or 'a stranger'} as {identity}: {'; '.join(wrong)}"


def _read_all(reader: DocumentReader, known: dict[str, dict[str, Any]]) -> set[str]:
    """Read what the list offers, each by its rule; keep the documents, return their ids."""
    status, listed = reader.get("/documents")
    assert status == 200, listed
    rows = {row["id"]: row["rule"] for row in listed["documents"]}
    for name, rule in list(rows.items())[:MOST_DOCUMENTS]:
        status, body = reader.get(f"/documents/{name}")
        assert (status, body["decided_by"]["rule"]) == (200, rule), name
        expected = documents.expected(reader.as_the_rules_see, body["document"], time.time())
        assert rule == expected or (expected is None and rule in BY_SHARE), (name, rule, expected)
        known[name] = body["document"]
    return set(rows)


def _refused_the_rest(reader: DocumentReader, others: set[str]) -> None:
    """What is not in the list cannot be read, and what is not there gives nothing away."""
    for name in others:
        status, body = reader.get(f"/documents/{name}")
        assert status == 403, name
        assert body["because"]
        assert "document" not in body
    status, body = reader.get(f"/documents/none-{secrets.token_hex(8)}")
    assert (status, body["rule"]) == documents.expected_of_none(reader.as_the_rules_see)


def _stopped_by_the_role(crowd: Crowd, person: Person, reader: DocumentReader) -> None:
    """A role that may not delete is stopped by IAM, before any rule; others do not try."""
    stack = crowd.account.stack
    path = f"/documents/none-{secrets.token_hex(8)}"
    if not promises.may_invoke(stack, promises.role_of(stack, person.groups), f"DELETE {path}"):
        status, body = reader.send("DELETE", path)
        assert (status, "rule" in body) == (403, False), person


def _through_the_session_page(visitor: LiveVisitor) -> None:
    """Checks, userInfo and a renewal by hand."""
    visitor.go("/session")
    rows = visitor.page.locator("table.checks tbody tr").all_inner_texts()
    verdicts = {row.split()[0]: row.split()[1] for row in rows}
    for name in CHECKS:
        assert verdicts.pop(name) == "passed", name
    assert {*verdicts.values()} <= {"passed", "not"}  # not applicable
    visitor.press("Ask userInfo now")
    assert "not asked yet" not in visitor.text
    visitor.press("Refresh now")
    assert re.search(r"Refreshed 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", visitor.text)
    assert "jti" in visitor.page.locator("tr.changed th code").all_inner_texts()


def _role_name(crowd: Crowd, person: Person) -> str:
    stack = crowd.account.stack
    return stack.resource(promises.role_of(stack, person.groups))


def _is_in(visitor: LiveVisitor, person: Person) -> bool:
    return (visitor.signed_in_as() or "").casefold() == person.email.casefold()
