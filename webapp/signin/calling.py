"""One call of the API as somebody: what that caller needs is gathered, then it is sent.

Pages, the access matrix and the command line call through here. No Flask.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from webapp.api import standing
from webapp.api.catalogue import Endpoint
from webapp.api.client import ApiClient, keys_expired
from webapp.api.identities import Caller
from webapp.api.standing import Standing
from webapp.credentials.wallet import Wallet
from webapp.errors import SessionEnded
from webapp.records import ApiAnswer, AwsKeys, SessionRecord, TokenSet
from webapp.signin.claims import held_claims
from webapp.store.vault import Session

Keep = Callable[[Session], object]
"""Told of every new state of the session, before anything is sent: a guest's first call makes one.
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller brings. `kept` says that the keys were in the session before."""

    caller: Caller
    keys: AwsKeys | None = None
    tokens: TokenSet | None = None
    kept: bool = False


class Calling:
    """Calls endpoints as anybody. `demo` says that the demonstration's documents are there.

    `report` is told of an event and its facts.
    """

    def __init__(
        self,
        wallet: Wallet,
        api: ApiClient,
        *,
        demo: bool,
        report: Callable[..., object] = lambda *_, **__: None,
    ) -> None:
        self._wallet = wallet
        self._api = api
        self._demo = demo
        self._report = report

    def call(
        self,
        session: Session | None,
        endpoint: Endpoint,
        caller: Caller,
        values: Mapping[str, str],
        keep: Keep,
    ) -> tuple[Session | None, ApiAnswer]:
        """The session as it is now, and the answer; `values` are the endpoint's parameters.

        `session` is an opened one whose tokens live. With keys of the session that end too early
        the call is made once more with new ones, if it changes nothing. Raises BadInput,
        SessionEnded when the caller needs a person and there is none, and what wallet and client
        raise.
        """
        address, body = endpoint.address(values), endpoint.body(values)
        began = time.perf_counter()
        session, proof = self.proof(session, caller, keep)
        waited = time.perf_counter() - began
        answer = self.send(endpoint, proof, address, body, credentials=waited * 1000)
        if endpoint.method == "GET" and proof.kept and keys_expired(answer):
            began = time.perf_counter()
            session, proof = self.renewed(session, proof, keep)
            waited += time.perf_counter() - began
            answer = self.send(endpoint, proof, address, body, credentials=waited * 1000)
        return session, answer

    def proof(
        self, session: Session | None, caller: Caller, keep: Keep
    ) -> tuple[Session | None, Proof]:
        """What this caller needs, fetched where it is not held; raises as `call`."""
        if caller.kind == "nobody":
            return session, Proof(caller)
        if caller.kind == "guest":
            before = session.record.guest_keys if session else None
            session, keys = self._wallet.guest_keys(session)
            keep(session)
            return session, Proof(caller, keys, kept=keys == before)
        if session is None or session.record.tokens is None:
            raise SessionEnded("Sign in to call as yourself.", code="signed_out")
        if caller.role_arn is not None:
            keys = self._wallet.role_keys(session, caller.role_arn)
            kept = keys == session.record.user_keys
            return session, Proof(caller, keys, session.record.tokens, kept)
        if caller.kind != "user":
            return session, Proof(caller, tokens=session.record.tokens)
        before = session.record.user_keys
        session, keys = self._wallet.user_keys(session)
        keep(session)
        return session, Proof(caller, keys, session.record.tokens, keys == before)

    def renewed(
        self, session: Session | None, proof: Proof, keep: Keep
    ) -> tuple[Session | None, Proof]:
        """The same caller with new keys, for kept ones that AWS took for expired."""
        self._report("keys_expired", identity=str(proof.caller))
        if session is not None and proof.keys is not None:
            session = self._wallet.without(session, proof.keys)
        return self.proof(session, proof.caller, keep)

    def send(
        self,
        endpoint: Endpoint,
        proof: Proof,
        address: str,
        body: bytes | None = None,
        *,
        credentials: float = 0.0,
    ) -> ApiAnswer:
        """The bare call; it touches no session, so any thread may make it.

        `credentials` is how many milliseconds the proof took.
        """
        return self._api.call(
            endpoint,
            str(proof.caller),
            address,
            keys=proof.keys,
            tokens=proof.tokens,
            body=body,
            credentials=credentials,
        )

    def standing(self, record: SessionRecord | None, *, whole: bool = True) -> Standing | None:
        """What the expectations for this person go by; None while nobody is signed in.

        Unless `whole`, what only documents depend on is left out: it costs reading the ID token.
        """
        if record is None or record.person is None:
            return None
        person, keys = record.person, record.user_keys
        role = record.chosen_role if record.chosen_role in person.roles else person.preferred_role
        if keys is not None and keys.role_arn is not None:
            role = keys.role_arn
        claims = held_claims(record)[0] if whole else {}
        return standing.standing(role, person.groups, claims, demo=self._demo)
