"""CR-10: the role that the server runs under never signs a call of a person's."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.contract.hands import DynamoHands, Hands, SqliteHands, rigged_over
from tests.doubles.message import Request
from tests.rig import Rig
from tests.security.outcomes import is_anonymous

ROLE_KEY = "ASIACONTAINERSOWNROLE"
ROLE = {
    "AccessKeyId": ROLE_KEY,
    "SecretAccessKey": "the-containers-own-secret",
    "Token": "the-containers-own-token",
    "Expiration": "2099-01-01T00:00:00Z",
    "Code": "Success",
    "RoleArn": "arn:aws:iam::000000000000:role/portico-task",
}


class Metadata(ThreadingHTTPServer):
    """What a container asks for the keys of its role (ECS), and an instance for its (EC2)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[str] = []

    @property
    def origin(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Metadata

    def do_GET(self) -> None:
        """The role's name, or its keys."""
        self.server.asked.append(self.path)
        names = self.path.endswith("security-credentials/")
        body = b"portico-task" if names else json.dumps(ROLE).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        """The word by which an instance is asked."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    """A role within reach, for whoever asks."""
    with Metadata() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def _environment(metadata: Metadata) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ROLE_KEY,
        "AWS_SECRET_ACCESS_KEY": ROLE["SecretAccessKey"],
        "AWS_SESSION_TOKEN": ROLE["Token"],
    } | _instance(metadata)


def _container(metadata: Metadata) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{metadata.origin}/role"}


def _instance(metadata: Metadata) -> dict[str, str]:
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.origin}


WITHIN_REACH: dict[str, Callable[[Metadata], dict[str, str]]] = {
    "environment": _environment,
    "container": _container,
    "instance": _instance,
}


@contextmanager
def _near_a_role(
    hands: Hands, folder: Path, environment: dict[str, str], patch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    """The application where AWS's own chain of credentials would find the server's role."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    for name, value in environment.items():
        patch.setenv(name, value)
    with rigged_over(hands, folder) as rig:
        yield rig


def _all_requests(rig: Rig) -> list[Request]:
    doubles = (rig.cognito.issuer, rig.cognito.pool, rig.cognito.api)
    return [one for double in doubles for end in double.endpoints for one in end.requests]


def _nothing_of_the_role(rig: Rig, metadata: Metadata, *words: str) -> None:
    """No request that left carries anything of the role, and nobody asked for it."""
    requests = _all_requests(rig)
    assert requests
    for request in requests:
        text = repr(request.headers) + request.target + request.body.decode("latin-1")
        assert [word for word in words if word in text] == []
    assert metadata.asked == []


def _calls_are_the_callers_own(rig: Rig) -> None:
    """Without keys of the identity pool no call is made; with them, it is those that sign."""
    browser, stranger = rig.signed_in("admin"), rig.browser()
    pool = rig.cognito.pool
    for identity in ("user", "guest"):
        for fault in ("InternalErrorException", "NotAuthorizedException"):
            pool.get_id.aws_error(fault, status=500 if fault.startswith("Int") else 400)
            assert browser.call("test-public", identity).status in (502, 503)
        pool.get_id.heal()
        pool.get_credentials.once.answer(200, {"IdentityId": "us-east-1:x", "Credentials": {}})
        assert browser.call("test-public", identity).status == 503
    assert rig.cognito.api.calls == []
    assert browser.call("whoami", "user").json()["status"] == 200
    assert browser.call("test-public", "guest").json()["status"] == 200
    assert stranger.call("test-public", "guest").json()["status"] == 200
    assert browser.call("vip", "nobody").json()["status"] == 403
    assert browser.get("/credentials").status == 200
    signers = [call.verdict.keys for call in rig.cognito.api.calls if call.verdict]
    assert [keys and keys.sub is None for keys in signers] == [False, True, True]
    assert set(signers) <= set(rig.cognito.vault.issued)
    assert is_anonymous(rig, stranger)


@pytest.mark.parametrize("within_reach", WITHIN_REACH.values(), ids=WITHIN_REACH)
def test_CR_10_a_role_within_reach_signs_nothing(
    sqlite_hands: SqliteHands,
    metadata: Metadata,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    within_reach: Callable[[Metadata], dict[str, str]],
) -> None:
    """A role in the environment, of the container or of the instance is not even asked for."""
    environment = within_reach(metadata)
    with _near_a_role(sqlite_hands, tmp_path, environment, monkeypatch) as rig:
        _calls_are_the_callers_own(rig)
        words = (ROLE_KEY, ROLE["SecretAccessKey"], ROLE["Token"])
        _nothing_of_the_role(rig, metadata, *words)


@pytest.mark.stack
def test_CR_10_a_role_that_signs_for_the_store_signs_nothing_else(
    dynamodb_hands: DynamoHands,
    metadata: Metadata,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The role by which a DynamoDB store works signs for the table, and for nothing else."""
    environment = dynamodb_hands.environment | _container(metadata)
    with _near_a_role(dynamodb_hands, tmp_path, environment, monkeypatch) as rig:
        _calls_are_the_callers_own(rig)
        _nothing_of_the_role(rig, metadata, "Credential=test/")
