"""The bench is believed only as far as its floor is correct and its driver reads answers right."""

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.bench.bare_client import sign_v4
from tests.bench.budget import Line
from tests.bench.client import parse
from tests.bench.operations import Jar
from tests.bench.provider_tokens import Client, Mint, make_code, unbase64url


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
