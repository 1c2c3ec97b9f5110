"""Sign-in by SRP: the password is proved and never sent (AWS: USER_SRP_AUTH).

The arithmetic is pycognito's, from the extra `srp`; it is loaded by this alone.
"""

import importlib
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from webapp.cli.aws_words import spoken
from webapp.cli.by_password import refused_password
from webapp.cli.exchanges import AppClient, Exchange
from webapp.errors import OperatorFault
from webapp.services.operator import public_user_pool_api
from webapp.settings import Settings


def by_srp(settings: Settings, username: str, password: str) -> Mapping[str, Any]:
    """Tokens for a password that is not sent; no AWS credentials are needed.

    Raises OperatorFault, also where pycognito is not installed, AnsweredNo, ProviderUnavailable.
    """
    pycognito = _pycognito()
    client = AppClient(settings.cognito_client_id, settings.cognito_client_secret)
    with spoken(username, secrets=(password,)):
        api = public_user_pool_api(settings)
        srp = pycognito.AWSSRP(
            username=username,
            password=password,
            pool_id=settings.cognito_user_pool_id,
            client_id=client.client_id,
            client_secret=client.secret,
            client=api,
        )
        given = srp.get_auth_params()
        respond = partial(api.respond_to_auth_challenge, ClientId=client.client_id)
        try:
            asked = api.initiate_auth(
                ClientId=client.client_id, AuthFlow="USER_SRP_AUTH", AuthParameters=given
            )
            answer = respond(
                ChallengeName=asked["ChallengeName"],
                ChallengeResponses=_proof(srp, asked["ChallengeParameters"], given),
            )
        except ClientError as error:
            raise refused_password(error) or error from None
        return Exchange(client, respond, username).tokens(answer)


def _proof(srp: Any, asked: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its way to tell the time
            proof: dict[str, str] = srp.process_challenge(asked, given)
    except (KeyError, ValueError) as error:
        raise OperatorFault(
            f"The user pool's answer is no SRP ({type(error).__name__}); sign in with --code."
        ) from None
    return proof


def _pycognito() -> Any:
    try:
        return importlib.import_module("pycognito.aws_srp")
    except ImportError:
        raise OperatorFault(
            "SRP needs pycognito, which is not installed: pip install 'pycognito>=2024.5'.",
            code="no_pycognito",
        ) from None
