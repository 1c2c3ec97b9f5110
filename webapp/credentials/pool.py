"""The identity pool: an ID token, or nothing, for temporary AWS credentials.

The enhanced flow of AWS: GetId, then GetCredentialsForIdentity, both unsigned public calls. The
boto3 client is handed in; its errors end here.
"""

import random
import time
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import ClientError

from webapp.errors import OperatorFault, PoolUnavailable, PorticoError
from webapp.flow import GUEST, Begun, Hop, last_part
from webapp.outbound import OutboundFailed
from webapp.records import AwsKeys
from webapp.words import say

# Asking again at once may help these, and AWS says so.
BUSY_CODES = {
    "TooManyRequestsException",
    "LimitExceededException",
    "InternalErrorException",
    "ExternalServiceException",
    "ThrottlingException",
    "ServiceUnavailable",
}
# A new identity id may help these.
GONE_CODES = {
    "ResourceNotFoundException": say(
        "The identity pool does not know this identity, nor one that it"
        " named anew; check that the pool exists."
    ),
    "ResourceConflictException": say(
        "The identity pool knows this login under another identity, also"
        " when asked anew; merge or delete one of the two there."
    ),
}
TRIES = 3


class IdentityPoolApi(Protocol):
    """The two calls of boto3's `cognito-identity` client that are made."""

    def get_id(self, **arguments: Any) -> Any:
        """AWS: GetId."""

    def get_credentials_for_identity(self, **arguments: Any) -> Any:
        """AWS: GetCredentialsForIdentity."""


class TokenNotAccepted(PorticoError):
    """The pool does not accept the ID token. `stale` says that a newer one may help."""

    code = "id_token_not_accepted"

    def __init__(self, sentence: str, *, stale: bool, reason: str) -> None:
        super().__init__(sentence, reason=reason)
        self.stale = stale


class IdentityGone(PorticoError):
    """The pool no longer knows the identity id, or knows the login under another."""

    code = "identity_gone"


class IdentityPool:
    """One identity pool. `login_key` is the name under which it knows the user pool."""

    def __init__(
        self,
        api: IdentityPoolApi,
        *,
        pool_id: str,
        login_key: str,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._api = api
        self._pool_id = pool_id
        self._login_key = login_key
        self._now = now
        self._pause = pause
        self._dice = dice

    def keys(
        self,
        *,
        id_token: str | None = None,
        identity_id: str | None = None,
        role_arn: str | None = None,
        hops: list[Hop] | None = None,
    ) -> AwsKeys:
        """Credentials for a person, or for a guest when there is no ID token.

        A known `identity_id` saves one call. `role_arn` asks for one of the roles in the token.
        What was asked, and how long it took, is added to `hops`.
        Raises TokenNotAccepted, IdentityGone, PoolUnavailable, OperatorFault.
        """
        logins = {"Logins": {self._login_key: id_token}} if id_token else {}
        hops = [] if hops is None else hops
        held = identity_id or self._identity(logins, hops)
        try:
            return self._credentials(held, logins, role_arn, hops)
        except IdentityGone:  # deleted at the pool, or merged into another: asked for anew, once
            return self._credentials(self._identity(logins, hops), logins, role_arn, hops)

    def _identity(self, logins: dict[str, Any], hops: list[Hop]) -> str:
        begun = Begun("identity", self._now())
        answer = self._call(self._api.get_id, IdentityPoolId=self._pool_id, **logins)
        hops.append(begun.over("" if logins else GUEST))
        try:
            return _plain(answer["IdentityId"])
        except (KeyError, TypeError, ValueError) as error:
            raise PoolUnavailable("The identity pool talks nonsense.") from error

    def _credentials(
        self, identity_id: str, logins: dict[str, Any], role_arn: str | None, hops: list[Hop]
    ) -> AwsKeys:
        begun = Begun("credentials", self._now())
        choice = {"CustomRoleArn": role_arn} if role_arn else {}
        answer = self._call(
            self._api.get_credentials_for_identity, IdentityId=identity_id, **logins, **choice
        )
        hops.append(begun.over(last_part(role_arn) if logins else GUEST))
        try:
            keys = answer["Credentials"]
            return AwsKeys(
                identity_id=_plain(answer.get("IdentityId", identity_id)),
                access_key_id=_plain(keys["AccessKeyId"]),
                secret_access_key=_plain(keys["SecretKey"]),
                session_token=_plain(keys["SessionToken"]),
                fetched_at=int(self._now()),
                expires_at=int(keys["Expiration"].timestamp()),
                role_arn=role_arn,
            )
        except (KeyError, AttributeError, TypeError, ValueError, ArithmeticError) as error:
            raise PoolUnavailable("The identity pool talks nonsense.") from error

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Any:
        for tried in range(1, TRIES + 1):
            try:
                return operation(**arguments)
            except ClientError as error:
                code = _code(error)
                if code not in BUSY_CODES or tried == TRIES:
                    raise _translated(error, code, bool(arguments.get("Logins"))) from None
                # Not all at the same moment again, who were all refused at one.
                self._pause(0.1 * 2**tried * (0.5 + self._dice()))
            except OutboundFailed as error:
                raise PoolUnavailable(
                    "The identity pool does not answer.",
                    reason=error.facts.get("reason"),
                    retry_after=error.retry_after,
                ) from None
            except Exception as error:  # whatever a library's parser makes of a hostile answer
                raise PoolUnavailable(
                    "The identity pool talks nonsense.", reason=type(error).__name__
                ) from None
        raise AssertionError("unreachable")


def _plain(value: object) -> str:
    """Visible ASCII, as ids and keys are. Raises ValueError."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("not plain text")
    return value


def _code(error: ClientError) -> str:
    """The error's code; from the header or the status where the body has none."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    about = error.response.get("ResponseMetadata", {})
    named = str(about.get("HTTPHeaders", {}).get("x-amzn-errortype", "")).partition(":")[0]
    if not code.endswith("Exception") and named:
        code = named.rpartition("#")[2]
    status = about.get("HTTPStatusCode", 0)
    if code not in BUSY_CODES and (status >= 500 or status == 429):
        return "ServiceUnavailable"
    return code


def _translated(error: ClientError, code: str, with_token: bool) -> PorticoError:
    # `from None` above: a botocore error repeats the request's parameters in some messages.
    if code in BUSY_CODES:
        return PoolUnavailable("The identity pool asks for patience.", reason=code)
    if code == "NotAuthorizedException" and with_token:
        # One code for all: only the words tell a token that aged from a policy that refuses.
        words = str(error.response.get("Error", {}).get("Message", "")).lower()
        return TokenNotAccepted(
            "The identity pool does not accept the ID token.",
            stale="expired" in words or "revoked" in words,
            reason=code,
        )
    if code in GONE_CODES:
        return IdentityGone(GONE_CODES[code], reason=code)
    sentences = {
        "NotAuthorizedException": say(
            "The identity pool does not let guests in; allow guest access there, or sign in."
        ),
        "InvalidIdentityPoolConfigurationException": say(
            "The identity pool's roles are not set up:"
            " check the roles attached to it and their trust policies."
        ),
        "InvalidParameterException": say(
            "The identity pool does not know this user pool or client; add them to its providers."
        ),
    }
    return OperatorFault(
        sentences.get(
            code, say("The identity pool refuses, for a reason that only an operator can mend.")
        ),
        code="identity_pool_refused",
        reason=code,
    )
