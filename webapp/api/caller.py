"""Whom AWS itself sees behind temporary credentials (AWS STS: GetCallerIdentity).

The only way to learn the name of a role that no token names: the identity pool gives keys of its
default role without saying which that is. Needs no permission.
"""

import re

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from requests_aws4auth import AWS4Auth

from webapp.deadlines import POOL_SECONDS
from webapp.errors import PoolUnavailable
from webapp.outbound import KIB, OutboundFailed, Sender
from webapp.records import AwsKeys

_QUESTION = "Action=GetCallerIdentity&Version=2011-06-15"
_ASSUMED = re.compile(r"arn:(aws[\w-]*):sts::(\d{12}):assumed-role/([\w+=,.@-]{1,64})/")


class CallerIdentity:
    """Asks STS at `endpoint`, signed for `region`."""

    def __init__(self, outbound: Sender, *, endpoint: str, region: str) -> None:
        self._outbound = outbound
        self._endpoint = endpoint
        self._region = region

    def role_of(self, keys: AwsKeys) -> str:
        """The ARN of the role behind the keys, without its path, which STS leaves out.

        Raises PoolUnavailable when STS gives no answer.
        """
        request = PreparedRequest()
        request.method, request.url, request.body = "POST", self._endpoint, _QUESTION
        request.headers = CaseInsensitiveDict(
            {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        )
        AWS4Auth(
            keys.access_key_id,
            keys.secret_access_key,
            self._region,
            "sts",
            session_token=keys.session_token,
        )(request)
        try:
            reply = self._outbound.send(
                "POST",
                self._endpoint,
                headers=request.headers,
                body=_QUESTION.encode(),
                deadline=POOL_SECONDS,
                cap=64 * KIB,
            )
        except OutboundFailed as error:
            raise PoolUnavailable(
                "AWS did not say whose these keys are.",
                reason=str(error.facts.get("reason")),
                retry_after=error.retry_after,
            ) from error
        found = _ASSUMED.search(reply.body.decode("utf-8", "replace"))
        if reply.status != 200 or found is None:
            raise PoolUnavailable("AWS did not say whose these keys are.", upstream=reply.status)
        partition, account, role = found.groups()
        return f"arn:{partition}:iam::{account}:role/{role}"
