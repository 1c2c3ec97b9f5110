"""What is DynamoDB's own: throttling, lost answers, an end that comes late, listings."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from infra.local.provision_sessions import session_table
from infra.stack import load_stack
from tests.contract.dynamodb import Fronted, Hosts
from tests.contract.stores import ANN, BEN, KEY, LATER, NOW, OTHER, keys_of, put
from tests.doubles.message import Answer, Request
from webapp.errors import StoreUnavailable
from webapp.store.base import Store, Stored
from webapp.store.dynamodb import DynamoStore
from webapp.store.dynamodb.listings import AHEAD_SECONDS

pytestmark = pytest.mark.stack

THROTTLED = "ProvisionedThroughputExceededException"
MARGIN_SECONDS = 0.3  # for a busy machine
SECRET = b"sealed-bytes-that-nobody-may-see"

Operation = Callable[[Store], object]
OPERATIONS: dict[str, Operation] = {
    "load": lambda store: store.load(KEY, now=NOW),
    "create": lambda store: put(store, sealed=SECRET),
    "create without a person": lambda store: put(store, sealed=SECRET, person=None),
    "replace": lambda store: store.replace(KEY, SECRET, version=1, expires_at=LATER),
    "delete": lambda store: store.delete(KEY, until=LATER),
    "claim": lambda store: store.claim(b"name", b"me", now=NOW, seconds=6),
    "release": lambda store: store.release(b"name", b"me"),
    "listed": lambda store: store.listed(ANN, now=NOW),
    "ping": lambda store: store.ping(),
}
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())


def refused(store: Store, operation: Operation) -> tuple[StoreUnavailable, float]:
    """How an operation failed, and after how many seconds."""
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        operation(store)
    return caught.value, time.monotonic() - begun


@every_operation
def test_ST_06_throttled_for_a_moment(fronted: Fronted, operation: Operation) -> None:
    """What is throttled once is sent again, and the operation ends as if nothing had been."""
    fronted.front.for_next(1).aws_error(THROTTLED)
    operation(fronted.store)
    assert fronted.calls()[0] == fronted.calls()[1]


@every_operation
def test_ST_06_throttled_for_long(fronted: Fronted, operation: Operation) -> None:
    """Throttling without an end costs few requests and less than a second, and is named."""
    fronted.front.aws_error(THROTTLED)
    error, seconds = refused(fronted.store, operation)
    assert error.facts["reason"] == THROTTLED
    assert seconds < 1.0
    assert 3 <= fronted.front.count <= 8


@pytest.mark.slow
@every_operation
def test_ST_02_black_hole(fronted: Fronted, operation: Operation) -> None:
    """A DynamoDB that never answers holds an operation for no longer than a second."""
    fronted.front.hang()
    error, seconds = refused(fronted.store, operation)
    fronted.front.heal()
    assert error.facts["reason"] == "TimeoutError"
    assert seconds < 1.0 + MARGIN_SECONDS
    assert fronted.front.count == 1


@every_operation
def test_ST_01_down_and_back(fronted: Fronted, operation: Operation) -> None:
    """A DynamoDB that refuses connections is said so in time; when it is back all goes on."""
    fronted.server.server.stop()
    error, seconds = refused(fronted.store, operation)
    assert error.facts["reason"] == "ConnectionRefusedError"
    assert seconds < 1.0
    fronted.server.server.start()
    operation(fronted.store)


def lose_the_answer(fronted: Fronted) -> None:
    """Let the next request be done and its answer be lost."""
    fronted.front.once.mutate(lambda true: true.having(reset=True))


def fail_after_the_write(fronted: Fronted) -> None:
    """Let the next request be done and answered with a fault of DynamoDB's own."""
    body = b'{"__type": "InternalServerError", "message": ""}'
    fronted.front.once.mutate(lambda true: Answer(500, true.headers, body))


@pytest.mark.slow
@pytest.mark.parametrize("head", [True, False])
def test_ST_02_dripping(fronted: Fronted, head: bool) -> None:
    """A DynamoDB that sends a byte now and then is cut off in time as well."""
    put(fronted.store)
    fronted.front.drip(20.0, head=head)
    error, seconds = refused(fronted.store, OPERATIONS["load"])
    assert error.facts["reason"] == "TimeoutError"
    assert seconds < 1.0


def test_ST_02_late_and_then_silent(fronted: Fronted) -> None:
    """Two failures of different kinds in one operation take no longer than one: a second."""

    def late(true: Answer) -> Answer:
        time.sleep(0.45)
        return Answer(500, true.headers, b'{"__type": "InternalServerError", "message": ""}')

    put(fronted.store)
    fronted.front.forget()
    fronted.front.once.mutate(late)
    fronted.front.hang()
    _, seconds = refused(fronted.store, OPERATIONS["load"])
    fronted.front.heal()
    assert seconds < 1.1
    assert fronted.front.count == 2


unclear = pytest.mark.parametrize("spoil", [lose_the_answer, fail_after_the_write])


@unclear
def test_a_create_knows_its_own_write(fronted: Fronted, spoil: Callable[[Fronted], None]) -> None:
    """A record that was made, and whose answer was lost, is not taken for another's."""
    spoil(fronted)
    assert put(fronted.store, person=None) is True
    assert fronted.calls() == ["PutItem", "PutItem"]
    assert fronted.store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)


@unclear
def test_a_create_knows_anothers_write(fronted: Fronted, spoil: Callable[[Fronted], None]) -> None:
    """After a lost answer a key that another holds is still another's."""
    put(fronted.store, sealed=b"another's", person=None)
    spoil(fronted)
    assert put(fronted.store, person=None) is False
    assert fronted.store.load(KEY, now=NOW) == Stored(b"another's", 1, LATER)


@unclear
def test_a_replacement_knows_its_own_write(
    fronted: Fronted, spoil: Callable[[Fronted], None]
) -> None:
    """A replacement whose answer was lost is done once, and reported as done."""
    put(fronted.store)
    spoil(fronted)
    assert fronted.store.replace(KEY, b"two", version=1, expires_at=LATER) is True
    assert fronted.store.load(KEY, now=NOW) == Stored(b"two", 2, LATER)
    spoil(fronted)
    assert fronted.store.replace(KEY, b"three", version=1, expires_at=LATER) is False


@unclear
def test_a_claim_knows_its_own_write(fronted: Fronted, spoil: Callable[[Fronted], None]) -> None:
    """A claim whose answer was lost is ours; a release whose answer was lost has freed it."""
    spoil(fronted)
    assert fronted.store.claim(b"name", b"me", now=NOW, seconds=6) is True
    spoil(fronted)
    fronted.store.release(b"name", b"me")
    assert fronted.store.claim(b"name", b"you", now=NOW, seconds=6) is True


@unclear
def test_a_delete_is_not_sent_twice(fronted: Fronted, spoil: Callable[[Fronted], None]) -> None:
    """A delete whose answer was lost says so, and does not say that nothing stood there."""
    put(fronted.store)
    fronted.front.forget()
    spoil(fronted)
    refused(fronted.store, OPERATIONS["delete"])
    assert fronted.calls() == ["UpdateItem"]
    assert fronted.store.load(KEY, now=NOW) is None


@pytest.mark.parametrize(
    ("code", "status", "cured"),
    [
        ("AccessDeniedException", 400, True),
        ("ResourceNotFoundException", 400, True),
        ("ExpiredTokenException", 400, True),
        ("UnrecognizedClientException", 400, True),
        ("ItemCollectionSizeLimitExceededException", 400, False),
        ("InternalServerError", 500, False),
        ("ServiceUnavailable", 503, False),
    ],
)
def test_reasons(fronted: Fronted, code: str, status: int, cured: bool) -> None:
    """Every error has its reason for the log, a cure where an operator has one, and no secret."""
    fronted.front.aws_error(code, f"User test is not {SECRET!r} at {KEY!r}", status)
    for operation in OPERATIONS.values():
        error, _ = refused(fronted.store, operation)
        assert error.facts["reason"] == code
        assert ("cure" in error.facts) is cured
        assert error.__cause__ is None
        assert error.__context__ is None
        assert "is not" not in f"{error} {error.sentence} {error.facts}"


@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"{}", b""])
def test_an_answer_that_is_not_dynamodbs(fronted: Fronted, body: bytes) -> None:
    """A page of somebody else's with status 200 is an outage, and not an empty store."""
    fronted.front.answer(200, body, {"Content-Type": "text/html"})
    for operation in OPERATIONS.values():
        error, _ = refused(fronted.store, operation)
        assert error.facts["reason"] == "ForeignAnswer"


@pytest.mark.parametrize("after", [0, 10])
def test_an_answer_that_is_cut(fronted: Fronted, after: int) -> None:
    """Half an answer is none; the question is asked again."""
    put(fronted.store)
    fronted.front.once.truncate(after)
    assert fronted.store.load(KEY, now=NOW) == Stored(b"one", 1, LATER)


def test_ST_06_ended_and_still_there(fronted: Fronted) -> None:
    """What has ended and was not yet removed is ended: not loaded, not listed, its key not free."""
    put(fronted.store, expires_at=int(NOW) - 86_400)
    assert fronted.store.load(KEY, now=NOW) is None
    assert keys_of(fronted.store, ANN, now=NOW) == []
    assert put(fronted.store) is False
    assert len(fronted.items(b"r")) == 1


def test_ST_06_every_read_is_consistent(fronted: Fronted) -> None:
    """Whatever decides over a session is read from the newest state."""
    put(fronted.store)
    fronted.front.forget()
    fronted.store.load(KEY, now=NOW)
    assert keys_of(fronted.store, ANN, now=NOW) == [KEY]
    load, query, batch = (request.json() for request in fronted.front.requests)
    assert load["ConsistentRead"] is query["ConsistentRead"] is True
    assert batch["RequestItems"][fronted.table]["ConsistentRead"] is True


def test_ST_06_ttl_is_never_before_the_end(fronted: Fronted) -> None:
    """When DynamoDB may remove it, no record, listing, tombstone or claim is needed any more."""
    put(fronted.store)
    fronted.store.claim(b"name", b"me", now=NOW, seconds=6)
    fronted.store.replace(KEY, b"two", version=1, expires_at=LATER + 9 * AHEAD_SECONDS)

    def ttl(kind: bytes) -> int:
        (item,) = fronted.items(kind)
        return int(item["ttl"]["N"])

    assert ttl(b"r") == LATER + 9 * AHEAD_SECONDS
    assert ttl(b"p") >= LATER + 9 * AHEAD_SECONDS
    assert ttl(b"c") >= NOW + 6
    fronted.store.delete(KEY, until=LATER)
    assert ttl(b"r") == LATER + 9 * AHEAD_SECONDS  # until the record would have ended


def test_table_of_the_stack_has_its_ttl(dynamodb: Hosts) -> None:
    """The provisioned table removes by the attribute that the store writes, and is made once."""
    client = dynamodb.next_client()
    for _ in range(2):
        session_table(client, "with-ttl", load_stack().session_table)
    described = client.describe_time_to_live(TableName="with-ttl")["TimeToLiveDescription"]
    assert (described["TimeToLiveStatus"], described["AttributeName"]) == ("ENABLED", "ttl")


def test_a_record_is_listed_before_it_stands(fronted: Fronted) -> None:
    """When a create breaks off there may be a listing without a record, never the reverse."""
    put(fronted.store)
    listing, record = (request.json() for request in fronted.front.requests)
    assert "sealed" in record["Item"]
    assert "sealed" not in listing["Item"]

    def only_listings(request: Request, behave: Callable[[Request], Answer]) -> Answer:
        if "sealed" in request.json()["Item"]:
            return Answer(400, (), b'{"__type": "AccessDeniedException"}')
        return behave(request)

    fronted.front.program(only_listings)
    refused(fronted.store, partial(put, key=OTHER))
    fronted.front.heal()
    assert keys_of(fronted.store, ANN, now=NOW) == [KEY]
    assert put(fronted.store, OTHER, person=BEN) is True
    assert keys_of(fronted.store, ANN, now=NOW) == [KEY]


def test_a_record_is_listed_as_long_as_it_lives(fronted: Fronted) -> None:
    """A renewal beyond the listing's end moves that first; the others cost one write."""
    put(fronted.store)
    fronted.front.forget()
    ends = [LATER + AHEAD_SECONDS, LATER + AHEAD_SECONDS + 1, LATER + AHEAD_SECONDS + 60]
    for version, end in enumerate(ends, 1):
        assert fronted.store.replace(KEY, b"two", version=version, expires_at=end)
    assert fronted.calls() == ["UpdateItem", "UpdateItem", "PutItem", "UpdateItem", "UpdateItem"]
    assert fronted.store.load(KEY, now=NOW) == Stored(b"two", 4, ends[-1])
    assert keys_of(fronted.store, ANN, now=ends[-1] - 1) == [KEY]


class SmallPages:
    """A client whose every answer holds little: pages of two, batches of one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **arguments: Any) -> Any:
        """Two items a page."""
        self.asked += 1
        return self._client.query(**arguments | {"Limit": 2})

    def batch_get_item(self, **arguments: Any) -> Any:
        """One key answered, the rest left for later, as DynamoDB does under load."""
        self.asked += 1
        ((table, wanted),) = arguments["RequestItems"].items()
        first, rest = wanted["Keys"][:1], wanted["Keys"][1:]
        answer = self._client.batch_get_item(RequestItems={table: wanted | {"Keys": first}})
        answer["UnprocessedKeys"] = {table: wanted | {"Keys": rest}} if rest else {}
        return answer


def test_keys_of_reads_to_the_end(fronted: Fronted) -> None:
    """A list over several pages, and batches that are answered in part, come together whole."""
    keys = [bytes((number,)) * 32 for number in range(7)]
    client = SmallPages(fronted.raw)
    store = DynamoStore(client, fronted.table, pause=lambda seconds: None)
    for key in keys:
        put(store, key)
    assert sorted(keys_of(store, ANN, now=NOW)) == keys
    assert client.asked >= 4 + 7


def test_keys_of_more_than_a_batch(fronted: Fronted) -> None:
    """A person with more records than one batch may ask for has them all listed."""
    keys = [number.to_bytes(32, "big") for number in range(201)]
    store = DynamoStore(fronted.raw, fronted.table)
    for key in keys:
        put(store, key)
    assert sorted(keys_of(store, ANN, now=NOW)) == keys


def test_a_delete_shortens_the_list(fronted: Fronted) -> None:
    """A deleted record's listing goes with it, so that a list that is much used stays short."""
    put(fronted.store)
    put(fronted.store, OTHER)
    fronted.store.delete(KEY, until=LATER)
    left = fronted.raw.query(
        TableName=fronted.table,
        KeyConditionExpression="k = :person",
        ExpressionAttributeValues={":person": {"B": b"p" + ANN}},
    )
    assert [item["s"]["B"] for item in left["Items"]] == [OTHER]


def test_a_delete_holds_though_its_listing_stays(fronted: Fronted) -> None:
    """When the listing cannot be taken away the record is deleted all the same."""
    put(fronted.store)

    def no_delete_item(request: Request, behave: Callable[[Request], Answer]) -> Answer:
        asked = request.header("X-Amz-Target") or ""
        return Answer(503) if asked.endswith(".DeleteItem") else behave(request)

    fronted.front.program(no_delete_item)
    deleted = fronted.store.delete(KEY, until=LATER)
    assert deleted
    assert deleted.sealed == b"one"
    assert fronted.store.load(KEY, now=NOW) is None
    assert keys_of(fronted.store, ANN, now=NOW) == []


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"sealed": {"B": b"x"}},
        {"sealed": {"S": "x"}, "version": {"N": "1"}, "ttl": {"N": str(LATER)}},
        {"sealed": {"B": b"x"}, "version": {"N": "1.5"}, "ttl": {"N": str(LATER)}},
        {"sealed": {"B": b"x"}, "version": {"N": "1"}, "ttl": {"S": "later"}},
        {"person": {"B": ANN}, "ttl": {"S": "later"}},
    ],
)
def test_ST_12_items_that_are_not_ours(fronted: Fronted, item: dict[str, Any]) -> None:
    """An item of another shape at a record's place is no session, and is not overwritten."""
    put(fronted.store, OTHER)
    fronted.raw.put_item(
        TableName=fronted.table, Item=item | {"k": {"B": b"r" + KEY}, "s": {"B": b"-"}}
    )
    fronted.raw.put_item(TableName=fronted.table, Item={"k": {"B": b"p" + ANN}, "s": {"B": KEY}})
    assert fronted.store.load(KEY, now=NOW) is None
    assert put(fronted.store) is False
    assert keys_of(fronted.store, ANN, now=NOW) == [OTHER]
