"""The one word that is said of what went wrong with Redis."""

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as TimedOut

from webapp.store.redis.line import reason


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("READONLY You can't write against a read only replica.", "READONLY"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
        ("LOADING Redis is loading the dataset in memory", "LOADING"),
        ("NOAUTH Authentication required.", "NOAUTH"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS"),
        ("ERR invalid password", "WRONGPASS"),
        ("NOPERM this user has no permissions to run the 'set' command", "NOPERM"),
        ("MOVED 866 127.0.0.1:7001", "MOVED"),
        ("CLUSTERDOWN The cluster is down", "CLUSTERDOWN"),
        ("MASTERDOWN Link with MASTER is down", "MASTERDOWN"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "MISCONF"),
        ("NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"),
        ("BUSY Redis is busy running a script.", "BUSY"),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", "WRONGTYPE"),
        ("ERR max number of clients reached", "MAXCLIENTS"),
        # As servers before version 7 pass on what a script met.
        ("ERR Error running script (call to f_1): @user_script:5: -READONLY You can't", "READONLY"),
        ("ERR unknown command 'AUTH', with args beginning with: 'secret'", "refused"),
    ],
)
def test_what_a_server_says(said: str, word: str) -> None:
    """Each refusal of a server becomes its code, and nothing of its words."""
    error = BaseParser.parse_error(said)  # type: ignore[no-untyped-call]
    assert reason(error) == word


def test_what_the_way_does() -> None:
    """Failures on the way are named for their kind."""
    assert reason(TimedOut("Timeout reading from host:6379")) == "timeout"
    assert reason(TimeoutError()) == "timeout"
    assert reason(Lost("Connection closed by server.")) == "closed"
    refused = Lost("Error 111")
    refused.__context__ = ConnectionRefusedError()
    assert reason(refused) == "ConnectionRefusedError"
