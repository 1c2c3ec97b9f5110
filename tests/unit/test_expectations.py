"""What the catalogue expects, held against infra/stack.yaml and the backend's own rules."""

import time
from fnmatch import fnmatchcase
from itertools import product

import pytest

from infra.demo_facts import DemoDocument
from infra.functions.api import documents as backend
from infra.functions.api.refusal import Refused
from infra.functions.api.rules import Action, Document, Reader, Share, decide, decide_unknown
from infra.stack import load_stack
from webapp.api import documents
from webapp.api.catalogue import ENDPOINTS, endpoint_named
from webapp.api.identities import BEARER_ACCESS, BEARER_ID, GUEST, NOBODY, USER, Caller
from webapp.api.standing import DEFAULT_ROLE, GUEST_ROLE, ROLES, Standing, role_key

STACK = load_stack()
DOCUMENTS = {one.id: one for one in STACK.demo.documents}
MAILS = [user.email for user in STACK.demo.users]
ARN = "arn:aws:iam::000000000000:role/portico-"
HOUR = 3600


def test_the_catalogue_has_the_routes_of_the_stack() -> None:
    """Name, method, path and authorization of every endpoint are those of a route, and back."""
    mine = {(one.name, f"{one.method} {one.path}", one.authorization) for one in ENDPOINTS}
    assert mine == {(one.name, one.route, one.authorization) for one in STACK.http_api.routes}


def test_each_role_may_invoke_what_the_stack_lets_it() -> None:
    """The roles of an endpoint are those whose `invoke` in stack.yaml fits it, and no others."""
    assert {*ROLES} == {*STACK.roles}
    for endpoint in ENDPOINTS:
        let_in = {
            key
            for key, role in STACK.roles.items()
            if any(fnmatchcase(f"{endpoint.method} {endpoint.path}", one) for one in role.invoke)
        }
        assert endpoint.roles == (let_in if endpoint.authorization == "AWS_IAM" else set())
    assert STACK.identity_pool.guest_role == GUEST_ROLE
    assert STACK.identity_pool.authenticated_role == DEFAULT_ROLE


def test_the_demonstrations_documents_are_those_of_the_stack() -> None:
    """Owner, department, project and shares of every document; a grant that is over is none."""
    assert documents.DEMO.keys() == DOCUMENTS.keys()
    for name, told in documents.DEMO.items():
        true = DOCUMENTS[name]
        assert (told.owner, told.department, told.project) == (
            *(true.owner, true.department, true.project),
        )
        assert told.collaborators == {
            mail: frozenset(rights) for mail, rights in true.collaborators.items()
        }
        lasting = [one for one in true.grants if one.hours > 0]
        assert told.lent == {one.to: frozenset(one.permissions) for one in lasting}


GROUPS = ((), ("Admin",), ("Manager",), ("Viewer",), ("Developer",), ("TeamA", "TeamB"))
DEPARTMENTS = (None, "Sales", "Engineering")
PROJECTS = ((), ("atlas",), ("borealis", "atlas"))


@pytest.mark.parametrize("right", ["read", "write", "delete"])
def test_documents_by_the_backends_own_rules(right: Action) -> None:
    """Whoever asks for whichever document: the backend's decision is the expected status."""
    for mail, groups, department, projects in product(
        (*MAILS, "else@example.com"), GROUPS, DEPARTMENTS, PROJECTS
    ):
        person = Standing(None, mail, groups, department, projects, demo=True)
        reader = Reader(sub=mail, groups=groups, department=department, projects=projects)
        for name, document in DOCUMENTS.items():
            told = documents.status(right, person, {"id": name, "title": "x"})
            decided = decide(reader, right, *_for_rules(document), now=time.time())
            if decided.rule == "grant":
                assert told is None  # nobody can know when it was given
            else:
                assert told == (200 if decided.allowed else 403), (mail, groups, name, decided)
        missing = documents.status(right, person, {"id": documents.NOT_THERE, "title": "x"})
        unknown = 404 if decide_unknown(reader).allowed else 403
        assert missing == (None if right == "write" else unknown)


def test_what_a_body_without_a_title_gets() -> None:
    """The backend looks at the body before any rule, so such a write is 400 and writes nothing."""
    person = Standing(None, "viewer@example.com", demo=True)
    for title in ("", "  "):
        assert documents.status("write", person, {"id": "diary", "title": title}) == 400
        with pytest.raises(Refused) as refused:
            backend._fields({"title": title, "text": ""})
        assert refused.value.status == 400


def test_without_the_demonstration_nobody_knows() -> None:
    """Over a real account a document's own rules are not known; the role's word still is."""
    read = endpoint_named("document-read")
    admin = Standing(f"{ARN}admin", groups=("Admin",))
    assert read.expects(USER, admin, {"id": "handbook"}) is None
    assert read.expects(USER, admin, {"id": documents.NOT_THERE}) == 404
    assert read.expects(GUEST, admin, {"id": "handbook"}) == 403
    assert endpoint_named("documents").expects(USER, admin) == 200


def test_a_role_decides_what_it_may() -> None:
    """A chosen role counts in place of the person's own; a foreign one says nothing."""
    both = Standing(None, "both@example.com", ("TeamA", "TeamB"), demo=True)
    secure, auth, write = map(endpoint_named, ("secure", "test-auth", "document-write"))
    assert [one.expects(USER, both) for one in (secure, auth)] == [200, 200]
    for team, expected in (("team-a", [403, 200]), ("team-b", [200, 403])):
        role = Caller("role", ARN + team)
        assert [one.expects(role, both) for one in (secure, auth)] == expected
        assert write.expects(role, both, {"id": "budget", "title": "x"}) == 403
    assert write.expects(USER, both, {"id": "budget", "title": "x"}) == 200
    assert secure.expects(Caller("role", "arn:aws:iam::1:role/own"), both) is None
    assert role_key("arn:aws:iam::1:role/path/other-team-a") == "team-a"


def test_callers_without_a_signature() -> None:
    """Who signs nothing is 403 at IAM and 401 at the authorizer, whoever is signed in."""
    admin = Standing(f"{ARN}admin", groups=("Admin",))
    for person in (None, admin):
        for endpoint in ENDPOINTS:
            told = [
                endpoint.expects(one, person, endpoint.defaults)
                for one in (NOBODY, BEARER_ACCESS, BEARER_ID)
            ]
            by_kind = {"NONE": [200] * 3, "AWS_IAM": [403] * 3, "JWT": [401, 200, 403]}
            assert told == by_kind[endpoint.authorization]


def _for_rules(document: DemoDocument) -> tuple[Document, list[Share]]:
    """The document as the backend's table has it, people by their mail."""
    shares = [
        Share(kind="collaborator", sub=mail, permissions=frozenset(rights))
        for mail, rights in document.collaborators.items()
    ]
    for one in document.grants:
        ends = int(time.time()) + one.hours * HOUR
        shares.append(
            Share(
                kind="grant",
                sub=one.to,
                permissions=frozenset(one.permissions),
                expires_at=ends,
            )
        )
    known = Document(
        id=document.id,
        owner=document.owner,
        title=document.title,
        text=document.text,
        department=document.department,
        project=document.project,
    )
    return known, shares
