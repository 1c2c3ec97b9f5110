"""Asking AWS whose keys these are."""

import pytest

from tests.doubles.way_out import Leaving, WayOut
from webapp.api.caller import CallerIdentity
from webapp.errors import PoolUnavailable
from webapp.outbound import OutboundTimedOut, Reply
from webapp.records import AwsKeys

KEYS = AwsKeys("pool:id", "ASIAEXAMPLE", "secret", "session", 0, 3600)
STS = "https://sts.us-east-1.amazonaws.com/"
ANSWER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:"
    b"assumed-role/portico-signed-in/CognitoIdentityCredentials</Arn>"
    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def _asked(status: int, body: bytes, fault: Exception | None = None) -> tuple[str, WayOut]:
    """What the caller makes of such an answer, and what it had sent."""

    def answer(_: Leaving) -> Reply:
        if fault:
            raise fault
        return Reply(status, "", (), body, cut=False, seconds=0.0)

    sts = WayOut(answer)
    caller = CallerIdentity(sts, endpoint=STS, region="us-east-1")
    return caller.role_of(KEYS), sts


def test_the_role_is_read_from_the_assumed_role() -> None:
    """The ARN of the assumed role gives the role's own ARN."""
    role, _ = _asked(200, ANSWER)
    assert role == "arn:aws:iam::123456789012:role/portico-signed-in"


def test_the_question_is_signed_for_sts() -> None:
    """The request carries a signature for sts and the session token."""
    _, sts = _asked(200, ANSWER)
    (question,) = sts.sent
    assert (question.method, question.url) == ("POST", STS)
    assert question.body == b"Action=GetCallerIdentity&Version=2011-06-15"
    assert "/us-east-1/sts/aws4_request" in question.headers["Authorization"]
    assert question.headers["x-amz-security-token"] == "session"


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
        _asked(status, body)
    assert "ada" not in str(caught.value)


def test_silence_is_translated() -> None:
    """A deadline that passes leaves the room as our own error, with its cause."""
    fault = OutboundTimedOut("slow", reason="TimeoutError")
    with pytest.raises(PoolUnavailable) as caught:
        _asked(200, b"", fault)
    assert caught.value.__cause__ is fault
