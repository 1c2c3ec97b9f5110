"""Sign-in by password: the flow that the app client allows, the public one first."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from webapp.cli.aws_words import code_of, spoken
from webapp.cli.exchanges import AppClient, Exchange
from webapp.errors import OperatorFault
from webapp.services.operator import public_user_pool_api, user_pool_api
from webapp.settings import Settings


def by_password(settings: Settings, username: str, password: str) -> Mapping[str, Any]:
    """Tokens for a password: USER_PASSWORD_AUTH, or else ADMIN_USER_PASSWORD_AUTH.

    The second wants AWS credentials that may do so (cognito-idp:AdminInitiateAuth). Raises
    OperatorFault, AnsweredNo, ProviderUnavailable.
    """
    client = AppClient(settings.cognito_client_id, settings.cognito_client_secret)
    given = {"USERNAME": username, "PASSWORD": password, **client.hashed(username)}
    with spoken(username, secrets=(password,)):
        public = public_user_pool_api(settings)
        asked = partial(public.initiate_auth, ClientId=client.client_id)
        try:
            answer = asked(AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
        except ClientError as error:
            if not _not_enabled(error):
                raise _wrong(error) from None
        else:
            respond = partial(public.respond_to_auth_challenge, ClientId=client.client_id)
            return Exchange(client, respond, username).tokens(answer)
        operator = user_pool_api(settings)
        of_client = {"UserPoolId": settings.cognito_user_pool_id, "ClientId": client.client_id}
        try:
            answer = operator.admin_initiate_auth(
                **of_client, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=given
            )
        except ClientError as error:
            if _not_enabled(error):
                raise OperatorFault(
                    "The app client allows no sign-in by password; use --srp or --code, or allow it"
                    " ALLOW_ADMIN_USER_PASSWORD_AUTH.",
                    code="flow_not_allowed",
                ) from None
            raise _wrong(error) from None
        respond = partial(operator.admin_respond_to_auth_challenge, **of_client)
        return Exchange(client, respond, username).tokens(answer)


def _not_enabled(error: ClientError) -> bool:
    words = str(error.response.get("Error", {}).get("Message", "")).lower()
    return code_of(error) == "InvalidParameterException" and "not enabled" in words


def _wrong(error: ClientError) -> Exception:
    """A refused password in our words; every other error as it is."""
    return refused_password(error) or error


def refused_password(error: ClientError) -> OperatorFault | None:
    """What is told when the pool does not accept name and password."""
    if code_of(error) not in ("NotAuthorizedException", "UserNotFoundException"):
        return None
    words = str(error.response.get("Error", {}).get("Message", "")).lower()
    if "secret" in words:
        return OperatorFault(
            "The user pool does not accept the app client's secret; check COGNITO_CLIENT_SECRET.",
            code="client_secret",
        )
    if "disabled" in words:
        return OperatorFault(
            "This person is disabled; `users enable` lets them in again.", code="disabled"
        )
    return OperatorFault(
        "The user pool does not accept this name and password; check both.",
        code="password_refused",
    )
