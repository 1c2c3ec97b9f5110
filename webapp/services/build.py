"""The composition root: the only place that takes Settings apart, and builds every room once."""

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from webapp.api.caller import CallerIdentity
from webapp.api.client import ApiClient
from webapp.api.copies import KeySource
from webapp.attempts import Attempts
from webapp.caretaker import Caretaker
from webapp.clients import Clients
from webapp.credentials.pool import IdentityPool
from webapp.credentials.wallet import Wallet
from webapp.errors import Unavailable
from webapp.keyring import Keyring
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import ClientFacts
from webapp.managed_login.keys import SigningKeys
from webapp.managed_login.metadata import Metadata
from webapp.managed_login.tokens import TokenVerifier
from webapp.observe import event, fingerprint
from webapp.outbound import Outbound, Sender
from webapp.refusals import Refusals
from webapp.services.aws import identity_api
from webapp.services.chores import caretakers, key_watch_of, refusals_of, report_errand
from webapp.services.parts import behind_breakers, log_part, matrices, turn_seats
from webapp.services.stores import open_store
from webapp.settings import Settings
from webapp.signin.belated import Belated
from webapp.signin.calling import Calling
from webapp.signin.claims import UserInfo
from webapp.signin.doorway import Doorway
from webapp.signin.errands import Errands
from webapp.signin.freshness import Freshness
from webapp.signin.journey import Journey
from webapp.signin.leaving import Leaving
from webapp.signin.matrix import AccessMatrix
from webapp.signin.signout import SignOut
from webapp.store.base import Store
from webapp.store.keyroll import KeyWatch
from webapp.store.purge import Purger
from webapp.store.roster import Roster
from webapp.store.shelf import Shelf
from webapp.store.turns import Turns
from webapp.store.vault import Vault

Now = Callable[[], float]


@dataclass(frozen=True)
class Services:
    """Every room, joined. One process has one of these."""

    ring: Keyring
    store: Store
    key_watch: KeyWatch
    vault: Vault
    roster: Roster
    attempts: Attempts
    clients: Clients
    refusals: Refusals
    metadata: Metadata
    signing_keys: SigningKeys
    managed_login: ManagedLogin
    journey: Journey
    freshness: Freshness
    sign_out: SignOut
    userinfo: UserInfo
    doorway: Doorway
    wallet: Wallet
    api: ApiClient
    calling: Calling
    access: AccessMatrix
    key_source: KeySource
    caller: CallerIdentity
    caretakers: tuple[Caretaker, ...]

    def warm_up(self) -> None:
        """Begin what runs beside the requests, and fetch what the first ones would wait for."""
        for caretaker in self.caretakers:
            caretaker.start()
        # Weakly: an application that nobody uses any more must not be kept for its farewell.
        atexit.register(_leave, weakref.ref(self.key_watch))

        def fetch() -> None:
            with suppress(Unavailable):
                self.signing_keys.warm()

        threading.Thread(target=fetch, daemon=True, name="warm-up").start()


def _leave(key_watch: "weakref.ref[KeyWatch]") -> None:
    there = key_watch()
    if there is not None:
        there.leave()


def build(
    settings: Settings,
    *,
    now: Now = time.time,
    threads: int | None = None,
    outbound: Outbound | None = None,
) -> Services:
    """Build all rooms, for a process with so many threads for requests, None when unknown.

    `outbound` is the way out where it is not to be the usual one. Raises StoreUnavailable when the
    store cannot be opened.
    """
    ring = Keyring(settings.secret_keys)
    outbound = outbound or Outbound()
    parts = behind_breakers(outbound, threads, log_part)
    store = _store(settings, outbound, now)
    vault = _vault(settings, store, ring, now)
    metadata = _metadata(settings, parts.directory, now)
    keys = SigningKeys(parts.directory, metadata, now=now)
    verifier = TokenVerifier(keys, settings.issuer, settings.cognito_client_id, now)
    managed_login = ManagedLogin(_client_facts(settings), metadata, parts.login, parts.directory)
    attempts = Attempts(ring)
    leaving = Leaving(managed_login, vault, now=now)
    shelf = Shelf(store, ring, now=now)
    errands = Errands(managed_login, leaving, shelf, now=now, report=report_errand)
    refusals = refusals_of(settings, ring, now)
    belated = Belated(
        refusals, leaving, errands, store, ring, life=settings.session_absolute_seconds, now=now
    )
    journey = Journey(attempts, managed_login, verifier, vault, errands, now=now)
    turns = Turns(vault, now=now, waiting=turn_seats(threads))
    freshness = Freshness(managed_login, verifier, vault, turns, errands, now=now, report=_log)
    pool = _identity_pool(settings, parts.identity_pool, now)
    wallet = Wallet(pool, vault, turns, freshness.renew, now=now)
    key_watch = key_watch_of(settings, store, ring, now)
    return Services(
        ring=ring,
        store=store,
        key_watch=key_watch,
        vault=vault,
        roster=Roster(vault, most=settings.session_max_per_person),
        attempts=attempts,
        clients=Clients(ring),
        refusals=refusals,
        metadata=metadata,
        signing_keys=keys,
        managed_login=managed_login,
        journey=journey,
        freshness=freshness,
        sign_out=SignOut(managed_login, vault, leaving, errands, belated, journey),
        userinfo=UserInfo(managed_login, vault, now=now),
        doorway=Doorway(_client_facts(settings), metadata),
        wallet=wallet,
        api=_api(settings, parts.api),
        calling=_calling(settings, wallet, parts.api),
        access=_access(settings, wallet, parts.api_aside, matrices(threads)),
        key_source=_key_source(settings),
        caller=_caller(settings, parts.sts),
        caretakers=caretakers(errands, belated, Purger(store, now=now), key_watch),
    )


def _log(fault: Unavailable) -> None:
    level = "error" if fault.facts.get("alarm") else "warning"
    event("refresh_failed", level=level, facts={"code": fault.code, **fault.facts})


def _store(settings: Settings, outbound: Outbound, now: Now) -> Store:
    return open_store(
        settings.session_store_url,
        outbound,
        region=settings.aws_region,
        dynamodb_endpoint=settings.session_table_endpoint,
        now=now,
    )


def _metadata(settings: Settings, outbound: Sender, now: Now) -> Metadata:
    return Metadata(
        outbound,
        issuer=settings.issuer,
        discovery_url=settings.discovery_url,
        domain=settings.cognito_domain,
        now=now,
    )


def _client_facts(settings: Settings) -> ClientFacts:
    return ClientFacts(
        client_id=settings.cognito_client_id,
        client_secret=settings.cognito_client_secret,
        redirect_uri=f"{settings.app_base_url}/callback",
        signed_out_uri=f"{settings.app_base_url}/",
        scopes=settings.cognito_scopes,
        api=settings.user_pool_api,
    )


def _api(settings: Settings, outbound: Sender) -> ApiClient:
    return ApiClient(outbound, base=settings.api_endpoint, region=settings.aws_region)


def _calling(settings: Settings, wallet: Wallet, outbound: Sender) -> Calling:
    return Calling(wallet, _api(settings, outbound), demo=settings.offline, report=event)


def _access(settings: Settings, wallet: Wallet, outbound: Sender, runs: int) -> AccessMatrix:
    calling = _calling(settings, wallet, outbound)
    return AccessMatrix(calling, demo=settings.offline, runs=runs)


def _caller(settings: Settings, outbound: Sender) -> CallerIdentity:
    return CallerIdentity(outbound, endpoint=settings.sts_endpoint, region=settings.aws_region)


def _key_source(settings: Settings) -> KeySource:
    return KeySource(
        region=settings.aws_region,
        pool_id=settings.cognito_identity_pool_id,
        login_key=settings.login_key,
        endpoint=settings.identity_pool_endpoint,
    )


def _identity_pool(settings: Settings, outbound: Sender, now: Now) -> IdentityPool:
    return IdentityPool(
        identity_api(outbound, settings.aws_region, settings.identity_pool_endpoint),
        pool_id=settings.cognito_identity_pool_id,
        login_key=settings.login_key,
        now=now,
    )


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
