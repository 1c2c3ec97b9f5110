"""Asking AWS whose keys these are."""

from collections.abc import Mapping

import pytest

from webapp.api.caller import CallerIdentity
from webapp.errors import PoolUnavailable
from webapp.outbound import Outbound, OutboundTimedOut, Reply
from webapp.records import AwsKeys

KEYS = AwsKeys("pool:id", "ASIAEXAMPLE", "secret", "session", 0, 3600)
ANSWER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:"
    b"assumed-role/portico-signed-in/CognitoIdentityCredentials</Arn>"
    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class Sts(Outbound):
    """Answers every request with the same, and remembers the headers."""

    def __init__(self, status: int, body: bytes, fault: Exception | None = None) -> None:
        self.answer = Reply(status, "", (), body, cut=False, seconds=0.0)
        self.fault = fault
        self.headers: Mapping[str, str] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline: float,
        cap: int = 0,
        safe: bool = False,
    ) -> Reply:
        """The answer."""
        assert (method, url) == ("POST", "https://sts.us-east-1.amazonaws.com/")
        assert body == b"Action=GetCallerIdentity&Version=2011-06-15"
        self.headers = headers
        if self.fault:
            raise self.fault
        return self.answer


def _caller(sts: Sts) -> CallerIdentity:
    return CallerIdentity(sts, endpoint="https://sts.us-east-1.amazonaws.com/", region="us-east-1")


def test_the_role_is_read_from_the_assumed_role() -> None:
    """The ARN of the assumed role gives the role's own ARN."""
    sts = Sts(200, ANSWER)
    assert _caller(sts).role_of(KEYS) == "arn:aws:iam::123456789012:role/portico-signed-in"


def test_the_question_is_signed_for_sts() -> None:
    """The request carries a signature for sts and the session token."""
    sts = Sts(200, ANSWER)
    _caller(sts).role_of(KEYS)
    assert "/us-east-1/sts/aws4_request" in sts.headers["Authorization"]
    assert sts.headers["x-amz-security-token"] == "session"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, ANSWER),
        (200, b""),
        (200, b"<Arn>arn:aws:iam::123456789012:user/ada</Arn>"),
        (200, b"\xff"),
    ],
    ids=["refused", "empty", "a-user", "no-text"],
)
def test_no_clear_answer_is_no_role(status: int, body: bytes) -> None:
    """Anything but a success that names an assumed role is out of order, with nothing repeated."""
    with pytest.raises(PoolUnavailable) as caught:
        _caller(Sts(status, body)).role_of(KEYS)
    assert "ada" not in str(caught.value)


def test_silence_is_translated() -> None:
    """A deadline that passes leaves the room as our own error, with its cause."""
    fault = OutboundTimedOut("slow", reason="TimeoutError")
    with pytest.raises(PoolUnavailable) as caught:
        _caller(Sts(200, b"", fault)).role_of(KEYS)
    assert caught.value.__cause__ is fault
