"""AWS credentials of a session: fetched when first needed, kept, renewed early and once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from tests.doubles.users import TEAM_A_ROLE, TEAM_B_ROLE
from tests.race import at_once
from tests.rooms import Rooms, joined
from webapp.credentials.pool import TRIES, IdentityPool
from webapp.credentials.wallet import Wallet
from webapp.errors import Forbidden, OperatorFault, PoolUnavailable, SessionEnded
from webapp.store.vault import Session

POOL_ID = "us-east-1:11111111-2222-4333-8444-555555555555"
LOGIN = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Portico01"
LIFE = 3600
CROWD = 20
STALE = "Invalid login token. Token expired: 1 >= 0"


class PoolApi:
    """The two calls of boto3's cognito-identity client; `faults` are raised first, in order."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[Exception] = []
        self.known = {"us-east-1:id"}
        self.slow: Callable[[], object] = lambda: None

    def get_id(self, **arguments: Any) -> Any:
        """As GetId."""
        self._came("GetId", arguments)
        self.known.add("us-east-1:id")
        return {"IdentityId": "us-east-1:id"}

    def get_credentials_for_identity(self, **arguments: Any) -> Any:
        """As GetCredentialsForIdentity."""
        self._came("GetCredentialsForIdentity", arguments)
        if arguments["IdentityId"] not in self.known:
            raise error("ResourceNotFoundException")
        self.slow()
        return {
            "IdentityId": arguments["IdentityId"],
            "Credentials": {
                "AccessKeyId": f"ASIA{len(self.asked)}",
                "SecretKey": "secret",
                "SessionToken": "session",
                "Expiration": datetime.fromtimestamp(self._rooms.clock() + LIFE, UTC),
            },
        }

    def count(self, action: str) -> int:
        """How often this was called."""
        return sum(name == action for name, _ in self.asked)

    def _came(self, action: str, arguments: dict[str, Any]) -> None:
        self.asked.append((action, arguments))
        if self.faults:
            raise self.faults.pop(0)


def error(code: str, message: str = "") -> ClientError:
    """As botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetId")


class Purse:
    """A wallet with the API behind it."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.api = PoolApi(rooms)
        self.pauses: list[float] = []
        pool = IdentityPool(
            self.api,
            pool_id=POOL_ID,
            login_key=LOGIN,
            now=rooms.clock,
            pause=self.pauses.append,
            dice=lambda: 0.5,
        )
        self.wallet = Wallet(pool, rooms.vault, rooms.turns, rooms.freshness.renew, now=rooms.clock)


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    """Rooms over one SQLite file."""
    return joined(tmp_path / "sessions.db")


@pytest.fixture
def purse(rooms: Rooms) -> Purse:
    """A wallet over them."""
    return Purse(rooms)


def test_fetched_when_first_needed(rooms: Rooms, purse: Purse) -> None:
    """The first use fetches keys with the ID token, the next uses take them from the record."""
    session = rooms.session()
    session, keys = purse.wallet.user_keys(session)
    assert session.record.tokens
    logins = {LOGIN: session.record.tokens.id_token}
    assert purse.api.asked == [
        ("GetId", {"IdentityPoolId": POOL_ID, "Logins": logins}),
        ("GetCredentialsForIdentity", {"IdentityId": "us-east-1:id", "Logins": logins}),
    ]
    for _ in range(3):
        assert purse.wallet.user_keys(session) == (session, keys)
    assert len(purse.api.asked) == 2
    reloaded = rooms.vault.reload(session)
    assert reloaded
    assert reloaded.record.user_keys == keys
    assert session.record.person
    assert keys.role_arn == session.record.person.preferred_role


def test_renewed_early_with_the_known_identity(rooms: Rooms, purse: Purse) -> None:
    """Five minutes before the end the keys are renewed, without asking for the identity again."""
    session, first = purse.wallet.user_keys(rooms.session())
    rooms.clock.advance(LIFE - 301)
    assert purse.wallet.user_keys(session)[1] == first
    rooms.clock.advance(2)
    session, second = purse.wallet.user_keys(session)
    assert second != first
    assert (purse.api.count("GetId"), purse.api.count("GetCredentialsForIdentity")) == (1, 2)


@pytest.mark.parametrize("dead", [False, True])
def test_renewed_once_for_a_crowd(rooms: Rooms, purse: Purse, dead: bool) -> None:
    """Twenty requests at one moment cause one exchange."""
    session, first = purse.wallet.user_keys(rooms.session())
    rooms.clock.advance(LIFE + 5 if dead else LIFE - 100)
    found = at_once(*(partial(purse.wallet.user_keys, session) for _ in range(CROWD)))
    assert purse.api.count("GetCredentialsForIdentity") == 2
    for one in found:
        assert isinstance(one, tuple), repr(one)
        assert not dead or one[1] != first


def test_nobody_has_no_keys(rooms: Rooms, purse: Purse) -> None:
    """A session without a person gets no person's keys, and nothing is asked."""
    guest, _ = purse.wallet.guest_keys(None)
    purse.api.asked.clear()
    with pytest.raises(SessionEnded):
        purse.wallet.user_keys(guest)
    assert purse.api.asked == []


def test_guest(rooms: Rooms, purse: Purse) -> None:
    """The first guest call makes a session of a guest; the second uses what it has."""
    guest, keys = purse.wallet.guest_keys(None)
    assert guest.record.person is None
    assert purse.wallet.guest_keys(guest) == (guest, keys)
    assert purse.api.asked[0] == ("GetId", {"IdentityPoolId": POOL_ID})
    assert all("Logins" not in arguments for _, arguments in purse.api.asked)
    assert len(purse.api.asked) == 2
    assert rooms.living == 1


def test_guest_beside_a_person(rooms: Rooms, purse: Purse) -> None:
    """A person who calls as a guest has both kinds of keys side by side, and neither mixes."""
    session, mine = purse.wallet.user_keys(rooms.session())
    session, guests = purse.wallet.guest_keys(session)
    assert mine != guests
    assert (session.record.user_keys, session.record.guest_keys) == (mine, guests)
    assert session.record.person
    assert guests.role_arn is None


def test_identity_deleted_at_the_pool(rooms: Rooms, purse: Purse) -> None:
    """An identity that the pool forgot is asked for once more, and the person notices nothing."""
    session, _ = purse.wallet.user_keys(rooms.session())
    purse.api.known.clear()
    rooms.clock.advance(LIFE)
    session, keys = purse.wallet.user_keys(session)
    assert keys.expires_at > rooms.clock()
    assert purse.api.count("GetId") == 2


def test_pool_that_forgets_at_once(rooms: Rooms, purse: Purse) -> None:
    """A pool that loses the new identity as well is the operator's to mend; nothing loops."""
    purse.api.faults = []
    session = rooms.session()
    purse.api.get_id = lambda **_: {"IdentityId": "us-east-1:lost"}  # type: ignore[method-assign]
    with pytest.raises(OperatorFault):
        purse.wallet.user_keys(session)
    assert rooms.vault.reload(session) == session


def test_stale_id_token(rooms: Rooms, purse: Purse) -> None:
    """An ID token that the pool holds to be expired is refreshed once, and the keys come."""
    session = rooms.session()
    purse.api.faults = [error("NotAuthorizedException", STALE)]
    fresh, keys = purse.wallet.user_keys(session)
    assert len(rooms.login.refreshed) == 1
    assert fresh.record.tokens != session.record.tokens
    assert fresh.record.user_keys == keys


def test_stale_for_ever(rooms: Rooms, purse: Purse) -> None:
    """When the refreshed token is stale as well, the session ends."""
    session = rooms.session()
    purse.api.faults = [error("NotAuthorizedException", STALE) for _ in range(2)]
    with pytest.raises(SessionEnded):
        purse.wallet.user_keys(session)
    assert len(rooms.login.refreshed) == 1
    assert rooms.living == 0


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("NotAuthorizedException", "Access to Identity 'x' is forbidden."),
        ("InvalidIdentityPoolConfigurationException", ""),
        ("InvalidParameterException", ""),
        ("SomethingNewException", ""),
    ],
)
def test_set_up_wrong(rooms: Rooms, purse: Purse, code: str, message: str) -> None:
    """What only an operator can mend is said so, once, without a refresh or a sign-out."""
    session = rooms.session()
    purse.api.faults = [error(code, message)]
    with pytest.raises(OperatorFault):
        purse.wallet.user_keys(session)
    assert (len(purse.api.asked), len(rooms.login.refreshed)) == (1, 0)
    assert rooms.vault.reload(session) == session


@pytest.mark.parametrize("code", ["TooManyRequestsException", "InternalErrorException"])
def test_busy_pool(rooms: Rooms, purse: Purse, code: str) -> None:
    """A busy pool is asked three times with growing pauses, and then patience is asked for."""
    session = rooms.session()
    purse.api.faults = [error(code)] * 2
    assert purse.wallet.user_keys(session)[1]
    assert purse.pauses == [pytest.approx(0.2), pytest.approx(0.4)]
    purse.api.asked.clear()
    purse.api.faults = [error(code)] * 50
    with pytest.raises(PoolUnavailable):
        purse.wallet.user_keys(rooms.session("viewer"))
    assert len(purse.api.asked) == TRIES


def test_pool_out_of_reach(rooms: Rooms, purse: Purse) -> None:
    """A pool that does not answer is asked once: its timeout was the wait."""
    session = rooms.session()
    purse.api.faults = [ConnectTimeoutError(endpoint_url="https://pool")] * 3
    with pytest.raises(PoolUnavailable):
        purse.wallet.user_keys(session)
    assert len(purse.api.asked) == 1
    assert rooms.vault.reload(session) == session


def test_down_with_living_keys(rooms: Rooms, purse: Purse) -> None:
    """Keys that are due but alive serve on while the pool is down."""
    session, keys = purse.wallet.user_keys(rooms.session())
    rooms.clock.advance(LIFE - 100)
    purse.api.faults = [error("InternalErrorException")] * 50
    assert purse.wallet.user_keys(session)[1] == keys


def test_choice_among_the_roles_of_the_token(rooms: Rooms, purse: Purse) -> None:
    """A chosen role is asked for by name, stays chosen, and can be given back."""
    session = purse.wallet.choose(rooms.session("both"), TEAM_B_ROLE)
    assert purse.api.asked[-1][1]["CustomRoleArn"] == TEAM_B_ROLE
    assert session.record.user_keys
    assert session.record.user_keys.role_arn == TEAM_B_ROLE
    rooms.clock.advance(LIFE)
    session, keys = purse.wallet.user_keys(session)
    assert keys.role_arn == TEAM_B_ROLE
    session = purse.wallet.choose(session, None)
    assert "CustomRoleArn" not in purse.api.asked[-1][1]
    assert session.record.chosen_role is None


@pytest.mark.parametrize("role", ["", "arn:aws:iam::0:role/x", f"{TEAM_A_ROLE} "])
def test_no_choice_beyond_the_token(rooms: Rooms, purse: Purse, role: str) -> None:
    """A role that is not in the token is refused before anybody is asked."""
    session = rooms.session("both")
    with pytest.raises(Forbidden):
        purse.wallet.choose(session, role)
    assert purse.api.asked == []


def test_choice_refused_by_the_pool(rooms: Rooms, purse: Purse) -> None:
    """A role that the pool does not give leaves the session and its keys as they were."""
    session, keys = purse.wallet.user_keys(rooms.session("both"))
    purse.api.faults = [error("NotAuthorizedException", "Invalid CustomRoleArn.")]
    with pytest.raises(Forbidden):
        purse.wallet.choose(session, TEAM_A_ROLE)
    assert rooms.vault.reload(session) == session
    assert purse.wallet.user_keys(session)[1] == keys


def test_a_choice_ends_with_the_role(rooms: Rooms, purse: Purse) -> None:
    """When the token no longer has the chosen role, the pool chooses again."""
    session = purse.wallet.choose(rooms.session("both"), TEAM_B_ROLE)
    person = session.record.person
    assert person
    session = rooms.vault.change(
        session,
        lambda record: replace(record, person=replace(person, roles=()), user_keys=None),
    )
    purse.wallet.user_keys(session)
    assert "CustomRoleArn" not in purse.api.asked[-1][1]


def test_ended_while_fetching(rooms: Rooms, purse: Purse) -> None:
    """Keys that arrive after the sign-out are thrown away, and nothing comes back to life."""
    session = rooms.session()
    purse.api.slow = lambda: rooms.vault.end(session)
    with pytest.raises(SessionEnded):
        purse.wallet.user_keys(session)
    assert rooms.living == 0


def test_CC_10_refresh_while_fetching(rooms: Rooms, purse: Purse) -> None:
    """Tokens refreshed while keys are fetched, and the keys, both end up in the record."""
    session = rooms.session()
    renewed: list[Session] = []
    purse.api.slow = lambda: renewed.append(rooms.freshness.renew(session))
    found, keys = purse.wallet.user_keys(session)
    assert found.record.tokens == renewed[0].record.tokens
    assert found.record.user_keys == keys
    assert rooms.vault.reload(session) == found


def test_CC_10_role_chosen_while_fetching(rooms: Rooms, purse: Purse) -> None:
    """A role chosen while another request fetches keys stands, and so do its keys."""
    session, chosen = rooms.session("both"), []

    def choose() -> None:
        purse.api.slow = lambda: None
        chosen.append(purse.wallet.choose(session, TEAM_B_ROLE))

    purse.api.slow = choose
    after, keys = purse.wallet.user_keys(session)
    assert chosen
    assert after.record.chosen_role == TEAM_B_ROLE
    assert keys == after.record.user_keys == chosen[0].record.user_keys
    assert keys.role_arn == TEAM_B_ROLE


def test_CC_10_groups_changed_while_fetching(rooms: Rooms, purse: Purse) -> None:
    """Keys of rights that a refresh has taken away meanwhile are not kept; new ones are fetched."""
    session = rooms.session("both")

    def lose_a_group() -> None:
        purse.api.slow = lambda: None
        rooms.vault.change(session, lambda record: replace(record, person=less, user_keys=None))

    assert session.record.person
    less = replace(session.record.person, groups=("TeamA",), roles=(TEAM_A_ROLE,))
    purse.api.slow = lose_a_group
    after, keys = purse.wallet.user_keys(session)
    assert after.record.person == less
    assert keys == after.record.user_keys
    assert purse.api.count("GetCredentialsForIdentity") == 2
