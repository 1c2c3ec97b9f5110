"""What the doctor looks at, from the settings; its AWS clients ask as whoever runs it."""

from typing import Any

from botocore.config import Config

from webapp.credentials.transport import through
from webapp.doctor.cognito import Wanted
from webapp.doctor.examination import Patient
from webapp.doctor.rounds import Hurried
from webapp.outbound import Outbound, Sender
from webapp.services.build import Services
from webapp.services.operator import operator_session
from webapp.settings import Settings

_SECONDS = 5.0


def patient_of(settings: Settings, rooms: Services) -> Patient:
    """The application with everything that it stands on. Nothing is asked yet."""
    sender = Hurried(Outbound())
    idp, identity = _clients(settings, sender)
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
        own={"session store": rooms.store.ping, "keys of all hosts": rooms.key_watch.probe},
        discovery=rooms.metadata.probe,
        keys=rooms.signing_keys.warm,
        sender=sender,
        idp=idp,
        identity=identity,
    )


def _clients(settings: Settings, sender: Sender) -> tuple[Any, Any]:
    """Two boto3 clients, sent through our own way out, which bounds them and follows no proxy."""
    session = operator_session(settings)
    config = Config(retries={"total_max_attempts": 1}, user_agent="portico")
    endpoints = {
        "cognito-idp": settings.user_pool_endpoint,
        "cognito-identity": settings.identity_pool_endpoint,
    }
    made = []
    for service, endpoint in endpoints.items():
        client = session.client(service, endpoint_url=endpoint, config=config)
        client.meta.events.register(f"before-send.{service}", through(sender, _SECONDS))
        made.append(client)
    return made[0], made[1]
