"""All that the doctor looks at, in order; what AWS does not let us see is said, not guessed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from webapp.doctor import cognito, reach
from webapp.doctor.cognito import Wanted
from webapp.doctor.findings import Finding, change, unknown
from webapp.outbound import OutboundFailed, Sender

_GONE = ("ResourceNotFoundException", "InvalidParameterException")
_NOT_ALLOWED = ("AccessDeniedException", "NotAuthorizedException", "UnrecognizedClientException")
Ask = Callable[[], Any]


@dataclass(frozen=True)
class Patient:
    """The application and what it stands on. `idp` and `identity` are boto3 clients.

    `own` are parts of the application's own, each with a probe that raises PorticoError.
    """

    wanted: Wanted
    issuer: str
    discovery_url: str
    user_pool_id: str
    identity_pool_id: str
    api_endpoint: str
    own: Mapping[str, Callable[[], object]]
    discovery: Callable[[], object]
    keys: Callable[[], object]
    sender: Sender
    idp: Any
    identity: Any


def examined(patient: Patient) -> Iterator[Finding]:
    """One finding after the other, from the inside out."""
    for about, probe in patient.own.items():
        yield reach.own(about, probe)
    yield reach.discovery(patient.discovery, patient.issuer)
    yield reach.keys(patient.keys)
    yield reach.clock(patient.sender, patient.discovery_url)
    yield from reach.api(patient.sender, patient.api_endpoint)
    yield from _user_pool(patient)
    yield from _identity_pool(patient)


def _user_pool(patient: Patient) -> Iterator[Finding]:
    idp, of_pool = patient.idp, {"UserPoolId": patient.user_pool_id}
    found = _asked("user pool", lambda: idp.describe_user_pool(**of_pool)["UserPool"])
    if isinstance(found, Finding):
        yield found
        return
    yield from cognito.user_pool(found)
    name = found.get("CustomDomain") or found.get("Domain")
    about = "Managed Login: domain"
    described: Any = {}
    if name:
        described = _asked(
            about, lambda: idp.describe_user_pool_domain(Domain=name)["DomainDescription"]
        )
    yield from _told(described, cognito.domain)
    wanted = patient.wanted
    client = _asked(
        "app client",
        lambda: idp.describe_user_pool_client(**of_pool, ClientId=wanted.client_id)[
            "UserPoolClient"
        ],
    )
    yield from _told(client, lambda one: cognito.client(one, wanted))
    yield _branding(patient)
    pages = idp.get_paginator("list_groups").paginate(**of_pool)
    groups = _asked(
        "user pool: groups", lambda: list(chain.from_iterable(page["Groups"] for page in pages))
    )
    yield from _told(groups, cognito.groups)


def _branding(patient: Patient) -> Finding:
    about = "Managed Login: branding"
    found = _asked(
        about,
        lambda: patient.idp.describe_managed_login_branding_by_client(
            UserPoolId=patient.user_pool_id, ClientId=patient.wanted.client_id
        ),
    )
    if not isinstance(found, Finding):
        return Finding(about, "fine", "there")
    if found.verdict == "change":
        # Without a style a client's Managed Login pages cannot be served.
        return change(about, "none for this client", "Make a style for this app client.")
    return found


def _identity_pool(patient: Patient) -> Iterator[Finding]:
    of_pool = {"IdentityPoolId": patient.identity_pool_id}
    found = _asked("identity pool", lambda: patient.identity.describe_identity_pool(**of_pool))
    if isinstance(found, Finding):
        yield found
        return
    yield from cognito.identity_pool(found, patient.wanted)
    guests = bool(found.get("AllowUnauthenticatedIdentities"))
    attached = _asked(
        "identity pool: roles", lambda: patient.identity.get_identity_pool_roles(**of_pool)
    )
    yield from _told(attached, lambda one: cognito.roles(one, patient.wanted, guests=guests))


def _told(found: Any, judge: Callable[[Any], Iterator[Finding]]) -> Iterator[Finding]:
    if isinstance(found, Finding):
        yield found
    else:
        yield from judge(found)


def _asked(about: str, ask: Ask) -> Any:
    """What AWS says, or the finding that it says nothing."""
    try:
        return ask()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
    except (BotoCoreError, OutboundFailed) as error:
        return unknown(about, f"AWS gives no answer ({type(error).__name__})", "See AWS's set-up.")
    except Exception as error:  # whatever a library's parser makes of a hostile answer
        return unknown(about, f"AWS talks nonsense ({type(error).__name__})")
    if code in _GONE:
        return change(about, "there is none of this id", "Check the ids, and AWS_REGION.")
    if code in _NOT_ALLOWED:
        return unknown(
            about,
            f"these AWS credentials may not look ({code})",
            "Run the doctor with credentials that may describe the pools.",
        )
    return unknown(about, f"AWS does not tell ({code})")
