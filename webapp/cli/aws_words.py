"""AWS's refusals in our words: what is wrong and what to do. No error of botocore's leaves here.

Codes are those of the user pool's API and of every AWS service. What AWS itself says is repeated
only where it names the reason, and never with a password in it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from webapp.cli.outcome import AnsweredNo
from webapp.cli.plain import plain
from webapp.errors import OperatorFault, PorticoError, ProviderUnavailable

LONGEST_REASON = 300

_BUSY = {
    "TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling",
    "RequestLimitExceeded", "InternalErrorException", "InternalServerError", "ServiceUnavailable",
}  # fmt: skip
_NOT_THESE_KEYS = {
    "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
    "SignatureDoesNotMatch", "ExpiredTokenException", "ExpiredToken", "IncompleteSignature",
    "InvalidAccessKeyId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
}  # fmt: skip
_NOT_ALLOWED = {"AccessDeniedException", "AccessDenied", "ForbiddenException"}
_KEYS = "set AWS_PROFILE, sign in with `aws sso login`, or give AWS_ACCESS_KEY_ID and its secret"

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "ResourceNotFoundException": (
        "resource_unknown",
        "The user pool or its client is not there; check COGNITO_USER_POOL_ID, COGNITO_CLIENT_ID"
        " and AWS_REGION with `doctor`.",
    ),
    "InvalidPasswordException": (
        "password_policy",
        "The password does not follow the user pool's policy; choose another.",
    ),
    "PasswordHistoryPolicyViolationException": (
        "password_policy",
        "The password was used before, which the user pool's policy forbids; choose another.",
    ),
    "CodeDeliveryFailureException": (
        "mail_not_sent",
        "The invitation could not be sent; check the address and the user pool's mail settings.",
    ),
    "UnsupportedUserStateException": (
        "state",
        "This is not possible in the state that the person is in; look with `users show`.",
    ),
    "UserNotConfirmedException": (
        "not_confirmed",
        "This person has not confirmed their address; they do it at the first sign-in, or"
        " `users set-password --permanent` settles it.",
    ),
    "PasswordResetRequiredException": (
        "reset_required",
        "This person has to choose a new password; they do it in the browser, or"
        " `users set-password --permanent` settles it.",
    ),
}
_TRIGGER = {"UserLambdaValidationException", "UnexpectedLambdaException", "InvalidLambdaResponseException"}  # fmt: skip  # noqa: E501
_THERE_ALREADY = {"UsernameExistsException", "AliasExistsException"}


@contextmanager
def spoken(about: str = "", *, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Translate what AWS raises inside.

    `about` names the person in question; `secrets` are cut from whatever AWS says. Raises
    AnsweredNo, OperatorFault, ProviderUnavailable.
    """
    try:
        yield
    except ClientError as error:
        translated = _refusal(error, about, secrets)
    except BotoCoreError as error:
        translated = _trouble(error)
    else:
        return
    raise translated from None  # botocore's text may repeat what was sent


def code_of(error: ClientError) -> str:
    """AWS's code of the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _refusal(error: ClientError, about: str, secrets: tuple[str, ...]) -> PorticoError:
    code = code_of(error)
    reason = _reason(error, secrets)
    if code == "UserNotFoundException":
        return AnsweredNo(
            f"There is nobody called {about or 'that'} in the user pool; `users list` shows who is"
            " there.",
            code="user_unknown",
        )
    if code in _THERE_ALREADY:
        return AnsweredNo(
            f"{about or 'This person'} is there already; look with `users show`.",
            code="user_exists",
        )
    if code in _TRIGGER:
        return OperatorFault(f"A trigger of the user pool refuses: {reason}", code="trigger")
    if code in _SENTENCES:
        kind, sentence = _SENTENCES[code]
        because = f" AWS says: {reason}" if code == "InvalidPasswordException" and reason else ""
        return OperatorFault(sentence + because, code=kind)
    return _of_any_service(code, reason, error)


def _of_any_service(code: str, reason: str, error: ClientError) -> PorticoError:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _BUSY or status >= 500 or status == 429:
        return ProviderUnavailable(f"AWS asks for patience ({code}); try again in a while.")
    if code in _NOT_THESE_KEYS:
        return OperatorFault(
            f"AWS does not accept these credentials ({code}); {_KEYS}.", code="aws_credentials"
        )
    if code in _NOT_ALLOWED:
        action = error.operation_name
        return OperatorFault(
            f"These AWS credentials may not do this; allow them cognito-idp:{action} on the user"
            " pool, or use others (AWS_PROFILE).",
            code="aws_not_allowed",
        )
    told = f": {reason}" if reason else "."
    return OperatorFault(f"AWS refuses ({plain(code) or 'no code'}){told}", code="aws_refused")


def _trouble(error: BotoCoreError) -> PorticoError:
    kind = type(error).__name__
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return OperatorFault(f"No AWS credentials were found; {_KEYS}.", code="aws_credentials")
    if isinstance(error, ProfileNotFound):
        return OperatorFault(
            "There is no AWS profile of this name; `aws configure list-profiles` shows all.",
            code="aws_credentials",
        )
    if isinstance(error, SSOError | TokenRetrievalError | CredentialRetrievalError):
        return OperatorFault(
            f"AWS credentials could not be had ({kind}); sign in again with `aws sso login`.",
            code="aws_credentials",
        )
    if isinstance(error, ConnectionError | HTTPClientError):
        return ProviderUnavailable(
            f"AWS does not answer ({kind}); check the network, AWS_REGION and AWS_ENDPOINT_URL."
        )
    return OperatorFault(
        f"AWS's library refuses this ({kind}); check the values that were given.",
        code="aws_refused",
    )


def _reason(error: ClientError, secrets: tuple[str, ...]) -> str:
    text = str(error.response.get("Error", {}).get("Message", ""))
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    text = plain(text)[:LONGEST_REASON].strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
