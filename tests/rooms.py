"""The rooms behind the pages, joined without HTTP: for races by the thousand and for store faults.

The user pool is the doubles' own (`tests.doubles.pool`), called as a function in the place of
Managed Login; verification, vault, turns and store are the real ones.
"""

import math
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from joserfc.jwk import RSAKey

from tests.doubles.clock import Clock
from tests.doubles.pool import ADMIN_SCOPE, Client, UserPool
from tests.doubles.users import User, demo_users
from webapp.attempts import Attempts
from webapp.errors import ProviderUnavailable
from webapp.keyring import Keyring
from webapp.managed_login.client import ManagedLogin
from webapp.managed_login.facts import AccessRefused, GrantRefused, TokenAnswer
from webapp.managed_login.keys import Fetched, SigningKeys
from webapp.managed_login.tokens import TokenVerifier, person_of, read_claims
from webapp.records import SessionRecord, TokenSet
from webapp.refusals import Refusals
from webapp.signin.belated import Belated
from webapp.signin.errands import Errands
from webapp.signin.freshness import Freshness
from webapp.signin.journey import Journey
from webapp.signin.leaving import Leaving
from webapp.signin.pace import Pace
from webapp.signin.signout import SignOut
from webapp.store.base import Store
from webapp.store.shelf import PREFIX, Shelf
from webapp.store.sqlite import SqliteStore
from webapp.store.turns import Turns
from webapp.store.vault import Session, Vault

ISSUER = "http://127.0.0.1:1/us-east-1_Portico01"
SECRETS = (b"the-first-key-of-32-bytes-or-more",)
LOGOUT = "http://127.0.0.1:1/logout?client_id=c"


class DirectPool:
    """The user pool's back channel by function call; `down` makes it unreachable.

    `before` and `after` run around each refresh, for gates and slowness; `answer` may change what
    comes back.
    """

    def __init__(self, pool: UserPool) -> None:
        self.pool = pool
        self.down = False
        self.refreshed: list[str] = []
        self.revoked: list[str] = []
        self.signed_out: list[str] = []
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None
        self.reached: Callable[[], object] = lambda: None
        """Told of every call, whatever comes of it."""
        self.answer: Callable[[TokenAnswer], TokenAnswer] = lambda answer: answer
        self._lock = threading.Lock()

    @property
    def origin(self) -> str:
        """As ManagedLogin.origin."""
        return LOGOUT.partition("/logout")[0]

    def refresh(self, refresh_token: str) -> TokenAnswer:
        """As ManagedLogin.refresh."""
        with self._lock:
            self.refreshed.append(refresh_token)
        self.before()
        self._reach()
        with self._lock:
            known = self.pool.refresh_tokens.get(refresh_token)
            if known is None or known.occasion.revoked or known.dies_at <= self.pool.now():
                raise GrantRefused("invalid_grant")
            if not self.pool.is_active(known.occasion.user):
                raise GrantRefused("invalid_grant")
            tokens = self.pool.new_tokens(known.occasion)
            returned = refresh_token
            if self.pool.rotation:
                known.dies_at = self.pool.now() + self.pool.rotation_grace
                returned = self.pool.new_refresh_token(known.occasion)
        answer = self.answer(TokenAnswer(tokens["id_token"], tokens["access_token"], returned))
        self.after()
        return answer

    def revoke(self, refresh_token: str, *, deadline: float = 0.0) -> None:
        """As ManagedLogin.revoke; at once or never, so `deadline` is not looked at."""
        self._reach()
        with self._lock:
            self.revoked.append(refresh_token)
            known = self.pool.refresh_tokens.get(refresh_token)
            if known is not None:
                known.occasion.revoked = True

    def sign_out_everywhere(self, access_token: str, *, deadline: float = 0.0) -> None:
        """As ManagedLogin.sign_out_everywhere."""
        self._reach()
        claims = read_claims(access_token)
        if claims["exp"] <= self.pool.now():
            raise AccessRefused("expired")
        self.signed_out.append(claims["sub"])
        self.pool.revoke_all(self.pool.occasion_of(claims).user)

    def logout_url(self) -> str:
        """As ManagedLogin.logout_url."""
        self._reach()
        return LOGOUT

    def _reach(self) -> None:
        self.reached()
        if self.down:
            raise ProviderUnavailable("The user pool is down.")


class PublishedKeys:
    """The key set of a pool, as SigningKeys hands it out; `down` stands for an outage."""

    def __init__(self, pool: UserPool) -> None:
        self._keys = {entry["kid"]: RSAKey.import_key(entry) for entry in pool.key_set()["keys"]}
        self.down = False
        self.fetched = Fetched()

    def get(self, kid: str | None) -> RSAKey:
        """As SigningKeys.get."""
        if self.down:
            raise ProviderUnavailable("The keys cannot be had.")
        return self._keys[kid or ""]


@dataclass
class Rooms:
    """Everything from the vault to the way out, and what is behind it."""

    clock: Clock
    path: Path
    store: Store
    ring: Keyring
    vault: Vault
    turns: Turns
    login: DirectPool
    keys: PublishedKeys
    leaving: Leaving
    errands: Errands
    host: Refusals
    belated: Belated
    freshness: Freshness
    sign_out: SignOut
    users: dict[str, User] = field(default_factory=demo_users)
    reports: list[ProviderUnavailable] = field(default_factory=list)
    """Refreshes that failed without anybody noticing."""
    refusals: list[tuple[bytes, str]] = field(default_factory=list)
    """Records that the vault refused."""

    @property
    def pool(self) -> UserPool:
        """The user pool."""
        return self.login.pool

    def record(self, user: str = "admin") -> SessionRecord:
        """What a sign-in of this person leaves."""
        tokens = self.pool.sign_in(self.users[user], f"openid {ADMIN_SCOPE}")
        claims = read_claims(tokens["id_token"])
        now = int(self.clock())
        kept = TokenSet(
            tokens["id_token"],
            tokens["access_token"],
            tokens["refresh_token"],
            now,
            int(claims["exp"]),
        )
        return SessionRecord(created_at=now, seen_at=now, person=person_of(claims), tokens=kept)

    def session(self, user: str = "admin") -> Session:
        """A session of this person, as after a sign-in."""
        return self.vault.create(self.record(user))

    def expire_tokens(self) -> None:
        """Let the tokens, and not the session, come to their end."""
        self.clock.advance(self.pool.mint.id_lifetime + 1)

    @property
    def living(self) -> int:
        """How many records the store's file holds, tombstones left out."""
        return living(self.path)

    def twin(self) -> "Rooms":
        """A second worker: its own rooms over the same file, clock and pool."""
        return joined(self.path, clock=self.clock, login=self.login, users=self.users)


def living(path: Path) -> int:
    """How many sessions a store's file holds: no tombstones, errands, or words between hosts."""
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM sessions WHERE length(sealed) > 0 AND substr(key, 1, ?) != ?",
            (len(PREFIX), PREFIX),
        ).fetchone()
    return int(count)


def joined(
    path: Path,
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    secrets: Sequence[bytes] = SECRETS,
    login: DirectPool | None = None,
    users: dict[str, User] | None = None,
    idle: int = 43_200,
    absolute: int = 86_400,
    pause: Callable[[float], None] = time.sleep,
    pace: Pace | None = None,
) -> Rooms:
    """Rooms over one SQLite file, or over another store; without a `pace` none is kept."""
    clock = clock or Clock()
    store = store or SqliteStore(path)
    ring = Keyring(secrets)
    refusals: list[tuple[bytes, str]] = []
    vault = Vault(
        store,
        ring,
        idle=idle,
        absolute=absolute,
        now=clock,
        report=lambda place, why: refusals.append((place, why)),
    )
    users = users or demo_users()
    if login is None:
        pool = UserPool(ISSUER, "us-east-1_Portico01", Client("c"), clock)
        pool.users.extend(users.values())
        login = DirectPool(pool)
    managed = cast("ManagedLogin", login)
    keys = PublishedKeys(login.pool)
    verifier = TokenVerifier(cast("SigningKeys", keys), ISSUER, "c", clock)
    turns = Turns(vault, now=clock, pause=pause)
    leaving = Leaving(managed, vault, now=clock)
    errands = Errands(managed, leaving, Shelf(store, ring, now=clock), now=clock)
    host = Refusals([path.with_suffix(".refused")], now=clock)
    belated = Belated(host, leaving, errands, store, ring, life=absolute, now=clock)
    reports: list[ProviderUnavailable] = []
    freshness = Freshness(
        managed,
        verifier,
        vault,
        turns,
        errands,
        now=clock,
        pause=pause,
        report=reports.append,
        pace=pace or Pace(math.inf),
    )
    journey = Journey(Attempts(ring), managed, verifier, vault, errands, now=clock)
    return Rooms(
        clock=clock,
        path=path,
        store=store,
        ring=ring,
        vault=vault,
        turns=turns,
        login=login,
        keys=keys,
        leaving=leaving,
        errands=errands,
        host=host,
        belated=belated,
        freshness=freshness,
        sign_out=SignOut(managed, vault, leaving, errands, belated, journey),
        users=users,
        reports=reports,
        refusals=refusals,
    )
