"""The bench is believed only as far as its floor is correct and its driver reads answers right."""

import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.bench import full, prefill
from tests.bench.bare_client import sign_v4
from tests.bench.budget import Line, judged
from tests.bench.certificates import make_certificates
from tests.bench.client import parse
from tests.bench.measure import Table
from tests.bench.operations import Jar
from tests.bench.processes import Server, clean_environment, free_port
from tests.bench.provider_tokens import Client, Mint, make_code, unbase64url
from tests.bench.report import as_data, as_text
from tests.contract.redis_server import started
from webapp.store.dynamodb import DynamoStore
from webapp.store.redis import RedisStore


def test_the_floor_signs_as_botocore_does() -> None:
    """The bare relying party's SigV4 signature is the one that botocore makes."""
    headers = {"Host": "127.0.0.1:9", "X-Amz-Security-Token": "a/b+c=", "X-Cognito-Id-Token": "x.y"}
    request = AWSRequest("GET", "https://127.0.0.1:9/api/whoami", headers=headers)
    SigV4Auth(Credentials("ASIAEXAMPLE", "secret", "a/b+c="), "execute-api", "us-east-1").add_auth(
        request
    )
    stamp = request.headers["X-Amz-Date"]
    signed = sign_v4(
        "GET", "/api/whoami", headers, "ASIAEXAMPLE", "secret", "us-east-1", stamp=stamp
    )
    assert signed["Authorization"].replace(", ", ",") == request.headers["Authorization"].replace(
        ", ", ","
    )


def test_the_driver_waits_for_the_whole_answer() -> None:
    """An answer counts as read only when its body has the announced length."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc"
    assert all(parse(whole[:end]) is None for end in range(len(whole)))
    answer = parse(whole)
    assert answer is not None
    assert (answer.status, answer.body, answer.header("x-a")) == (200, b"abc", "b")


def test_the_jar_keeps_paths_and_forgets() -> None:
    """A cookie goes only to its path, and is gone when the server ends it."""
    jar = Jar()
    set_two = (
        b"HTTP/1.1 302 Found\r\nSet-Cookie: a=1; Path=/callback\r\nSet-Cookie: b=2\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    answer = parse(set_two)
    assert answer is not None
    jar.take(answer)
    assert jar.header("/callback?code=x") == "a=1; b=2"
    assert jar.header("/me") == "b=2"
    gone = parse(b"HTTP/1.1 200 OK\r\nSet-Cookie: b=; Max-Age=0\r\nContent-Length: 0\r\n\r\n")
    assert gone is not None
    jar.take(gone)
    assert jar.header("/me") == ""


def test_a_code_carries_what_the_token_endpoint_needs() -> None:
    """The nonce travels in the driver's code, and the minted tokens have three parts."""
    person, nonce, challenge, _ = make_code(7, "n.o-n_c~e", "challenge").split(".")
    assert (person, unbase64url(nonce), challenge) == ("7", b"n.o-n_c~e", "challenge")
    tokens = Mint(Client("https://issuer", "client", "secret")).tokens(7, "n")
    assert tokens["id_token"].count(".") == tokens["access_token"].count(".") == 2
    assert tokens["refresh_token"].count(".") == 4


def test_a_mark_says_which_bound_is_kept() -> None:
    """Upper and lower bounds give the better mark that holds, and OVER when none does."""
    upper = Line("k", "label", "x", 2.0, 1.5)
    assert [upper.mark(v) for v in (1.5, 1.6, 2.1)] == ["aim", "must", "OVER"]
    lower = Line("k", "label", "x", 1.6, 1.8, at_least=True)
    assert [lower.mark(v) for v in (1.8, 1.7, 1.5)] == ["aim", "must", "OVER"]


@pytest.mark.redis
def test_redis_is_filled_with_what_the_store_reads(tmp_path: Path) -> None:
    """Commands sent by the hundred leave records that the store finds, listed by their person."""
    with started(tmp_path / "redis") as server:
        prefill.prefill_redis(server.url, 1 + prefill.AT_ONCE + 1)
        places = [key for key in server.lives() if key.startswith(b"portico:s:")]
        assert len(places) == 1 + prefill.AT_ONCE + 1
        found = RedisStore(server.url).load(places[-1][10:], now=time.time())
        assert found is not None
        assert (len(found.sealed), found.version) == (prefill.SEALED_BYTES, 1)


@pytest.mark.stack
def test_the_emulator_listens_with_tables_that_the_store_reads(tmp_path: Path) -> None:
    """What was put into DynamoDB from inside is what the store loads over the wire."""
    certificates, port = make_certificates(tmp_path), free_port()
    command = [sys.executable, "-m", "tests.bench.emulator", "--port", str(port)]
    command += ["--folder", str(tmp_path), "--chain", str(certificates.chain)]
    command += ["--key", str(certificates.key), "--fill", "few=3"]
    with Server("Emulator", command, clean_environment(), tmp_path, port) as server:
        server.wait_listening(60)
        client = boto3.client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url=f"https://127.0.0.1:{port}",
            verify=str(certificates.authority),
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        items = client.scan(TableName="few")["Items"]
        records = [item for item in items if "sealed" in item]
        assert (len(records), len(items)) == (3, 6)
        key, person = records[0]["k"]["B"][1:], records[0]["person"]["B"]
        store = DynamoStore(client, "few")
        found = store.load(key, now=time.time())
        assert found is not None
        assert len(found.sealed) == prefill.SEALED_BYTES
        assert [one.key for one in store.listed(person, now=time.time())] == [key]
        client.close()


def test_a_store_that_the_machine_lacks_gives_a_word() -> None:
    """Without Redis its figures are words, judged by nobody, and the others are figures."""
    rounds = Table()
    for who in ("few", "many", "_barefew", "_baremany", "_dynamodbfew", "_dynamodbmany"):
        for what in ("page", "sign-in"):
            rounds[who, what].cpu = [2.0 if "many" in who else 1.0]
    figures = full.compared(rounds, {"", "_bare", "_dynamodb"})
    assert figures["stored_page_redis"] == figures["sign_in_redis"] == full.NO_REDIS
    assert (figures["stored_page"], figures["page_dynamodb"]) == (2.0, 1.0)
    marks = {row["key"]: row["mark"] for row in judged(figures)}
    assert (marks["stored_page_redis"], marks["stored_page"]) == ("", "OVER")
    assert full.NO_REDIS in as_text(as_data(Table(), figures, quick=True, load=0.0))
