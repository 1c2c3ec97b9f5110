"""The composition root: the only place that takes Settings apart, and builds every room once."""

import importlib
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from webapp.api.caller import CallerIdentity
from webapp.api.client import ApiClient
from webapp.attempts import Attempts
from webapp.credentials.pool import IdentityPool
from webapp.credentials.transport import through
from webapp.credentials.wallet import Wallet
from webapp.errors import StoreUnavailable, Unavailable
from webapp.keyring import Keyring
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import ClientFacts
from webapp.managed_login.keys import SigningKeys
from webapp.managed_login.metadata import Metadata
from webapp.managed_login.tokens import TokenVerifier
from webapp.observe import event, fingerprint
from webapp.outbound import Outbound
from webapp.settings import Settings
from webapp.signin.claims import UserInfo
from webapp.signin.errands import Errands
from webapp.signin.freshness import Freshness
from webapp.signin.journey import Journey
from webapp.signin.signout import SignOut
from webapp.store.base import Store
from webapp.store.dynamodb import DynamoStore
from webapp.store.sqlite import SqliteStore
from webapp.store.turns import Turns
from webapp.store.vault import Vault

Now = Callable[[], float]
DYNAMODB_SECONDS = 0.7
"""One attempt in all: dialling, handshake and answer."""


@dataclass(frozen=True)
class Services:
    """Every room, joined. One process has one of these."""

    ring: Keyring
    store: Store
    vault: Vault
    attempts: Attempts
    metadata: Metadata
    signing_keys: SigningKeys
    managed_login: ManagedLogin
    journey: Journey
    freshness: Freshness
    sign_out: SignOut
    userinfo: UserInfo
    wallet: Wallet
    api: ApiClient
    caller: CallerIdentity

    def warm_up(self) -> None:
        """Fetch discovery document and signing keys in the background, so nobody waits for them."""

        def fetch() -> None:
            with suppress(Unavailable):
                self.signing_keys.warm()

        threading.Thread(target=fetch, daemon=True, name="warm-up").start()


def build(settings: Settings, *, now: Now = time.time) -> Services:
    """Build all rooms. Raises StoreUnavailable when the store cannot be opened."""
    ring = Keyring(settings.secret_keys)
    outbound = Outbound()
    store = open_store(
        settings.session_store_url,
        outbound,
        region=settings.aws_region,
        dynamodb_endpoint=settings.session_table_endpoint,
        now=now,
    )
    vault = _vault(settings, store, ring, now)
    metadata = Metadata(
        outbound,
        issuer=settings.issuer,
        discovery_url=settings.discovery_url,
        domain=settings.cognito_domain,
        now=now,
    )
    keys = SigningKeys(outbound, metadata, now=now)
    verifier = TokenVerifier(keys, settings.issuer, settings.cognito_client_id, now)
    managed_login = ManagedLogin(
        ClientFacts(
            client_id=settings.cognito_client_id,
            client_secret=settings.cognito_client_secret,
            redirect_uri=f"{settings.app_base_url}/callback",
            signed_out_uri=f"{settings.app_base_url}/",
            scopes=settings.cognito_scopes,
            api=settings.user_pool_api,
        ),
        metadata,
        outbound,
    )
    attempts = Attempts(ring)
    errands = Errands(managed_login.revoke)
    journey = Journey(attempts, managed_login, verifier, vault, errands, now=now)
    turns = Turns(vault, now=now)
    freshness = Freshness(managed_login, verifier, vault, turns, errands, now=now, report=_log)
    pool = IdentityPool(
        _identity_api(outbound, settings.aws_region, settings.identity_pool_endpoint),
        pool_id=settings.cognito_identity_pool_id,
        login_key=settings.login_key,
        now=now,
    )
    return Services(
        ring=ring,
        store=store,
        vault=vault,
        attempts=attempts,
        metadata=metadata,
        signing_keys=keys,
        managed_login=managed_login,
        journey=journey,
        freshness=freshness,
        sign_out=SignOut(managed_login, vault, errands, journey),
        userinfo=UserInfo(managed_login, vault, now=now),
        wallet=Wallet(pool, vault, turns, freshness.renew, now=now),
        api=ApiClient(outbound, base=settings.api_endpoint, region=settings.aws_region),
        caller=CallerIdentity(outbound, endpoint=settings.sts_endpoint, region=settings.aws_region),
    )


def _log(fault: Unavailable) -> None:
    level = "error" if fault.facts.get("alarm") else "warning"
    event("refresh_failed", level=level, facts={"code": fault.code, **fault.facts})


def _vault(settings: Settings, store: Store, ring: Keyring, now: Now) -> Vault:
    return Vault(
        store,
        ring,
        idle=settings.session_idle_seconds,
        absolute=settings.session_absolute_seconds,
        now=now,
        report=_log_refused,
    )


def _log_refused(place: bytes, why: str) -> None:
    event("record_refused", level="error", session=fingerprint(place), reason=why)


def open_store(
    url: str,
    outbound: Outbound | None = None,
    *,
    region: str | None = None,
    dynamodb_endpoint: str | None = None,
    now: Now = time.time,
) -> Store:
    """The store that a checked SESSION_STORE_URL names. Raises StoreUnavailable.

    `outbound`, `region` and `dynamodb_endpoint` are for a DynamoDB store; None leaves region and
    endpoint to the AWS environment. `now` is for Redis, which is told lifetimes.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "dynamodb":
        return DynamoStore(_dynamodb(outbound or Outbound(), region, dynamodb_endpoint), rest)
    if scheme in ("redis", "rediss"):
        # Loaded only where it is chosen: redis-py costs 80 ms of start and 6 MB.
        redis: Any = importlib.import_module("webapp.store.redis")
        store: Store = redis.RedisStore(url, now=now, report=_log_store)
        return store
    return SqliteStore(Path(rest.removeprefix("/")))


def _log_store(code: str, sentence: str) -> None:
    event(code, level="warning", why=sentence)


def _dynamodb(outbound: Outbound, region: str | None, endpoint: str | None) -> Any:
    """The one client that signs as the application itself, by AWS's chain of credentials.

    It connects at the first operation and not here, and never over a fork (see Outbound).
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    try:
        session = boto3.session.Session(region_name=region)
        known = session.get_credentials() is not None
    except BotoCoreError as error:  # such as a profile that is not there
        raise _no_credentials(type(error).__name__) from None
    if not known:
        raise _no_credentials("NoCredentialsError")
    # The store itself sends again: it knows the time that is left, and when not to.
    config = Config(retries={"total_max_attempts": 1}, user_agent="portico")
    client = session.client("dynamodb", endpoint_url=endpoint, config=config)
    client.meta.events.register("before-send.dynamodb", through(outbound, DYNAMODB_SECONDS))
    return client


def _no_credentials(reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        "A DynamoDB store needs AWS credentials, and none were found; give the application a role"
        " of its own, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment.",
        reason=reason,
    )


def _identity_api(outbound: Outbound, region: str, endpoint: str | None) -> Any:
    """A boto3 client for the pool's public, unsigned calls, sent through our own way out.

    No profile, no credential lookup, no instance metadata: the instance's own role has no part.
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    inner = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session = boto3.session.Session(
        aws_access_key_id="unused",
        aws_secret_access_key="unused",
        region_name=region,
        botocore_session=inner,
    )
    client = session.client(
        "cognito-identity",
        endpoint_url=endpoint,
        config=Config(
            signature_version=UNSIGNED,
            retries={"total_max_attempts": 1},
            user_agent="portico",
        ),
    )
    client.meta.events.register("before-send.cognito-identity", through(outbound))
    return client
