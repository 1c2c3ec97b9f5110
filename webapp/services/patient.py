"""What the doctor looks at, from the settings; its AWS clients ask as whoever runs it."""

import boto3
import botocore.session
from botocore.config import Config

from webapp.doctor.cognito import Wanted
from webapp.doctor.examination import Patient
from webapp.outbound import Outbound
from webapp.services.build import Services
from webapp.settings import Settings

_SECONDS = 5


def patient_of(settings: Settings, rooms: Services) -> Patient:
    """The application with everything that it stands on. Nothing is asked yet."""
    session = _session(settings)
    config = Config(
        connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2}
    )
    return Patient(
        wanted=Wanted(
            base_url=settings.app_base_url,
            client_id=settings.cognito_client_id,
            client_secret=settings.cognito_client_secret,
            scopes=settings.cognito_scopes,
            providers=settings.cognito_identity_providers,
            login_key=settings.login_key,
        ),
        issuer=settings.issuer,
        discovery_url=settings.discovery_url,
        user_pool_id=settings.cognito_user_pool_id,
        identity_pool_id=settings.cognito_identity_pool_id,
        api_endpoint=settings.api_endpoint,
        discovery=rooms.metadata.endpoints,
        keys=rooms.signing_keys.warm,
        sender=Outbound(),
        idp=session.client("cognito-idp", endpoint_url=settings.user_pool_endpoint, config=config),
        identity=session.client(
            "cognito-identity", endpoint_url=settings.identity_pool_endpoint, config=config
        ),
    )


def _session(settings: Settings) -> boto3.Session:
    if not settings.offline:
        return boto3.Session(region_name=settings.aws_region)
    # The offline AWS is anybody's: no profile and no keys of the person's own are needed for it.
    inner = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=settings.aws_region,
        botocore_session=inner,
    )
