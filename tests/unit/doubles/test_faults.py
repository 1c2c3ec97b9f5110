"""Faults by program do what they say, for as long as they say."""

import gzip
import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.doubles import Answer, Cognito
from tests.unit.doubles.walk import Walk

BOTH = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)


def keys(cognito: Cognito, timeout: float = 5) -> requests.Response:
    """Fetch the key set."""
    url = f"{cognito.issuer.issuer}/.well-known/jwks.json"
    return requests.get(url, timeout=timeout, allow_redirects=False)


def test_faults_for_a_number_of_requests_then_for_always(cognito: Cognito) -> None:
    """Limited faults act first and in order, then the standing one, then nothing after heal."""
    jwks = cognito.issuer.jwks
    jwks.always.answer(500)
    jwks.once.answer(503, {"a": 1}, {"Retry-After": "7"})
    jwks.for_next(2).redirect("http://127.0.0.1:1/", 307)
    answers = [keys(cognito) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 307, 307, 500]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json() == {"a": 1}
    cognito.heal()
    assert keys(cognito).status_code == 200
    assert jwks.count == 5


def test_reset_and_truncate(cognito: Cognito) -> None:
    """A reset and a short body are errors at the client, never a shorter success."""
    cognito.issuer.jwks.once.reset()
    cognito.issuer.jwks.once.reset(after=20)
    cognito.issuer.jwks.once.truncate(after=20)
    for _ in range(3):
        with pytest.raises(BOTH):
            keys(cognito)
    assert keys(cognito).status_code == 200


def test_hang_lasts_until_healed(cognito: Cognito) -> None:
    """A request that hangs gets nothing, and ends when the endpoint is healed."""
    cognito.issuer.jwks.hang()
    with pytest.raises(requests.exceptions.ReadTimeout):
        keys(cognito, timeout=0.1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(keys, cognito)
        cognito.issuer.jwks.wait_for(2)
        cognito.issuer.jwks.heal()
        with pytest.raises(requests.exceptions.ConnectionError):
            waiting.result(5)


def test_closing_does_not_wait_for_what_hangs() -> None:
    """A server with hanging, dripping, gated and endless answers closes at once."""
    with Cognito() as cognito:
        api, base = cognito.api, cognito.api.url
        api["test-plain"].once.hang()
        api["test-plain"].once.drip(1)
        api["test-plain"].once.gate()
        api["test-plain"].once.endless()
        threads = [
            threading.Thread(target=_swallow, args=(f"{base}/test/plain",)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        api["test-plain"].wait_for(4)
        before = time.monotonic()
    assert time.monotonic() - before < 3
    for thread in threads:
        thread.join(5)


def _swallow(url: str) -> None:
    try:
        with requests.get(url, timeout=5, stream=True) as answer:
            for _ in answer.iter_content(65536):
                pass
    except requests.exceptions.RequestException:
        return


def test_drip_is_slow_but_whole(cognito: Cognito) -> None:
    """A dripped answer arrives complete, at about the speed that was asked for."""
    cognito.issuer.jwks.answer(200, b"x" * 100)
    whole = keys(cognito).content
    cognito.issuer.jwks.mutate(lambda _: Answer(200, (), whole, bytes_per_second=400))
    before = time.monotonic()
    assert keys(cognito).content == whole
    assert 0.1 < time.monotonic() - before < 2


def test_gate_lets_a_race_happen(cognito: Cognito, walk: Walk) -> None:
    """Ten uses of one code held at a gate and let go together give exactly one success."""
    code = walk.code()
    gate = cognito.issuer.token.gate()
    with ThreadPoolExecutor(10) as pool:
        running = [pool.submit(walk.exchange, code) for _ in range(10)]
        gate.wait(10)
        gate.open()
        statuses = sorted(call.result(5).status_code for call in running)
    assert statuses == [200] + [400] * 9
    assert cognito.issuer.token.most_in_flight == 10


def test_gate_behind_the_behaviour(cognito: Cognito, walk: Walk) -> None:
    """With the answer held, the code is already spent while the client still waits."""
    code = walk.code()
    with (
        ThreadPoolExecutor(1) as pool,
        cognito.issuer.token.once.gate(hold="answer") as gate,
    ):
        waiting = pool.submit(walk.exchange, code)
        gate.wait()
        assert code not in cognito.issuer.pool.codes
        assert not waiting.done()
        gate.release()
        assert waiting.result(5).status_code == 200


def test_gate_that_nobody_reaches_says_so(cognito: Cognito) -> None:
    """Waiting for requests that do not come fails with the numbers."""
    with pytest.raises(AssertionError, match="0 of 1 requests"):
        cognito.issuer.token.gate().wait(timeout=0.01)


def test_alter_changes_the_true_answer(cognito: Cognito, walk: Walk) -> None:
    """Members of the true answer can be dropped, added and changed."""
    cognito.issuer.token.once.alter(lambda body: body.pop("id_token"))
    assert "id_token" not in walk.tokens()
    assert "id_token" in walk.tokens()


def test_gzip_bomb_unpacks_to_zeros(cognito: Cognito) -> None:
    """A small body unpacks to the size that was asked for, also through two layers."""
    cognito.issuer.jwks.once.gzip_bomb(32 << 20)
    cognito.issuer.jwks.once.gzip_bomb(32 << 20, layers=2)
    for layers in (1, 2):
        url = f"{cognito.issuer.issuer}/.well-known/jwks.json"
        with requests.get(url, timeout=5, stream=True) as answer:
            raw = answer.raw.read(decode_content=False)
        assert len(raw) < 100_000
        for _ in range(layers):
            raw = gzip.decompress(raw)
        assert len(raw) == 32 << 20


def test_endless_body_goes_on(cognito: Cognito) -> None:
    """An endless body gives as much as one cares to read."""
    cognito.issuer.jwks.endless(b"[" * 1000)
    url = f"{cognito.issuer.issuer}/.well-known/jwks.json"
    with requests.get(url, timeout=5, stream=True) as answer:
        assert len(answer.raw.read(1_000_000)) == 1_000_000


def test_provider_goes_down_and_comes_back(cognito: Cognito) -> None:
    """A stopped server refuses connections; started again it answers on the same port."""
    cognito.issuer.server.stop()
    with pytest.raises(requests.exceptions.ConnectionError):
        keys(cognito)
    cognito.issuer.server.start()
    assert keys(cognito).status_code == 200


def test_requests_are_kept_as_received(cognito: Cognito) -> None:
    """Target, header order and spelling stand in the record byte for byte."""
    target = f"{cognito.api.base_path}/test/plain?a=%2f&a=b+c"
    connection = http.client.HTTPConnection("127.0.0.1", cognito.api.server.port, timeout=5)
    connection.request("GET", target, headers={"X-Odd": "a,b", "x-even": "c"})
    assert connection.getresponse().read()
    connection.close()
    last = cognito.api["test-plain"].last
    assert last.target == target
    assert last.headers[-2:] == (("X-Odd", "a,b"), ("x-even", "c"))


def test_aws_errors_have_their_shape(cognito: Cognito) -> None:
    """A programmed AWS error carries its type in body and header."""
    cognito.issuer.jwks.once.aws_error("TooManyRequestsException", "slow down")
    answer = keys(cognito)
    assert answer.status_code == 400
    assert answer.json() == {"__type": "TooManyRequestsException", "message": "slow down"}
    assert answer.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
