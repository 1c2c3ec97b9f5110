"""KY-06: the app client's secret is changed at Cognito, and no sign-in fails for it."""

from contextlib import redirect_stderr
from dataclasses import dataclass, field

import pytest

from tests.doubles.browser import Browser
from tests.doubles.pool import Client
from tests.rig import Rig
from tests.security.events import event_lines
from webapp.app import create_app
from webapp.services import build

OLD = "s3cret+with/odd=signs"
NEW = "n3w/secret+with=others%20&more"
LIFE = 600


@dataclass
class Fleet:
    """Hosts over one store, each started with a secret of its own, and their people."""

    rig: Rig
    hosts: list[Browser] = field(default_factory=list)
    people: list[Browser] = field(default_factory=list)
    started: list[tuple[Browser, str]] = field(default_factory=list)

    def start(self, secret: str) -> Browser:
        """A host that has just been started with this secret, as a way to it."""
        rig = self.rig
        settings = rig.settings.model_copy(update={"cognito_client_secret": secret})
        with redirect_stderr(rig.log_stream):
            app = create_app(settings, build(settings, now=rig.clock), now=rig.clock)
        return Browser.for_app(app, rig.base_url, issuer=rig.cognito.issuer, now=rig.clock)

    def replace(self, number: int, secret: str) -> None:
        """Take one host out and start it anew with this secret; the other goes on."""
        self.hosts[number] = self.start(secret)

    def at(self, person: Browser, number: int) -> Browser:
        """This person's browser, sent to that host."""
        way = self.hosts[number].twin()
        way.cookies = person.cookies
        return way

    def walk(self) -> None:
        """Sign-ins at every host, some begun at another one, some before the last change."""
        rig = self.rig
        for number, (person, location) in enumerate(self.started):
            self._arrive(self.at(person, (number + 1) % len(self.hosts)), location)
        self.started = []
        for number in range(len(self.hosts)):
            for begun_at in range(len(self.hosts)):
                person = self.hosts[begun_at].twin()
                location = self.at(person, begun_at).start("/session")
                self._arrive(self.at(person, number), location)
            later = self.hosts[number].twin()
            self.started.append((later, self.at(later, number).start("/session")))
        rig.clock.advance(LIFE)  # everybody's tokens are renewed, at either host in turn
        for place, person in enumerate(self.people):
            assert self.at(person, place % len(self.hosts)).get("/session").status == 200

    def _arrive(self, browser: Browser, location: str) -> None:
        users = list(self.rig.cognito.users.values())
        user = users[len(self.people) % len(users)]  # nobody has more sessions than one may
        landed = browser.finish(self.rig.cognito.issuer.approve(location, user))
        assert landed.status == 303, landed.text[:800]
        self.people.append(browser)


@pytest.fixture
def fleet(rig: Rig) -> Fleet:
    """Two hosts with the secret of today, and a pool that knows it alone."""
    rig.cognito.issuer.mint.id_lifetime = rig.cognito.issuer.mint.access_lifetime = LIFE
    assert rig.cognito.issuer.pool.client.secret == OLD
    made = Fleet(rig)
    made.hosts = [made.start(OLD), made.start(OLD)]
    return made


def _client(rig: Rig) -> Client:
    return rig.cognito.issuer.pool.client


def test_KY_06_two_secrets_and_a_rolling_restart(rig: Rig, fleet: Fleet) -> None:
    """Second secret in, hosts one by one, first secret out: nothing fails and nobody is out."""
    fleet.walk()
    _client(rig).second_secret = NEW
    fleet.walk()
    for number in (1, 0):
        fleet.replace(number, NEW)
        fleet.walk()
    _client(rig).secret, _client(rig).second_secret = NEW, None
    fleet.walk()
    assert len(fleet.people) > 20
    lines = event_lines(rig.log)
    assert [one for one in lines if one["event"] in ("refused", "refresh_failed")] == []
    # No request was refused and sent again: each grant was one request.
    issuer = rig.cognito.issuer
    assert len(issuer.grants("authorization_code")) == len(fleet.people)
    assert len(issuer.grants("refresh_token")) == issuer.token.count - len(fleet.people)
    last = fleet.at(fleet.people[0], 1)
    revoked = issuer.revoke.count
    assert last.sign_out().status == 303
    assert issuer.revoke.count == revoked + 1
    assert '"sign_out_pending"' not in rig.log


def test_KY_06_secret_changed_too_early(rig: Rig, fleet: Fleet) -> None:
    """A secret deleted before its host was restarted costs sign-ins there, and no session."""
    fleet.walk()
    _client(rig).secret = NEW
    fleet.replace(1, NEW)
    behind = fleet.hosts[0].twin()
    refused = behind.finish(
        rig.cognito.issuer.approve(behind.start("/session"), rig.cognito.user("viewer"))
    )
    assert refused.status == 400
    refusals = [one for one in event_lines(rig.log) if one["event"] == "refused"]
    assert [(one["code"], one["error"], one["level"]) for one in refusals] == [
        ("provider_refused", "invalid_client", "error")
    ]
    rig.clock.advance(LIFE - 30)
    person = fleet.people[0]
    assert fleet.at(person, 0).get("/session").status == 200  # by the tokens that still live
    assert fleet.at(person, 1).get("/session").status == 200
    fleet.replace(0, NEW)
    assert fleet.at(person, 0).get("/session").status == 200
    assert fleet.at(person, 0).sign_out().status == 303


def test_KY_06_the_double_takes_both(rig: Rig) -> None:
    """The pool takes either of two secrets, and nothing else: the proofs above rest on it."""
    browser = rig.browser()
    _client(rig).second_secret = NEW
    assert browser.sign_in(rig.cognito.user("admin")).status == 200
    _client(rig).secret, _client(rig).second_secret = "a", "b"
    other = rig.browser()
    callback = rig.cognito.issuer.approve(other.start(), rig.cognito.user("admin"))
    assert other.finish(callback).status == 400
