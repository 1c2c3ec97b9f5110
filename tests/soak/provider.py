"""What stands behind the fleet, with a switch on each address and a journal of each grant."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Literal

from tests.doubles import Cognito
from tests.doubles.endpoint import Endpoint
from tests.doubles.faults import aws_error
from tests.doubles.keys import decode
from tests.doubles.message import Answer, Behave, Request
from tests.doubles.mint import Occasion
from tests.doubles.sending import Stopped
from tests.soak.facts import Grant, named

Sickness = Literal["reset", "503", "hang", "slow", "late"]
SLOW_SECONDS = 0.8


class Way:
    """The way to one address of a double; `sickness` says what is wrong with it now.

    Nothing that is answered by a sickness has been done: what the provider did, its answer says.
    Slow and late are different: it is done, after a while or with its answer after a while.
    """

    def __init__(self, endpoint: Endpoint, *, aws: bool = False) -> None:
        self._aws = aws
        self._healed = threading.Event()
        self.sickness: Sickness | None = None
        endpoint.program(self._act)
        endpoint.held(self.heal)

    def fall_ill(self, sickness: Sickness) -> None:
        """From now on, until healed."""
        self._healed.clear()
        self.sickness = sickness

    def heal(self) -> None:
        """As before; what hangs ends without an answer."""
        self.sickness = None
        self._healed.set()

    def _act(self, request: Request, behave: Behave) -> Answer:
        sickness = self.sickness
        if sickness == "hang":
            self._healed.wait()
            self._unanswered(request, "hang")
            raise Stopped
        if sickness == "reset":
            self._unanswered(request, "reset")
            return Answer(reset=True)
        if sickness == "503":
            self._unanswered(request, "503")
            if self._aws:
                return aws_error("InternalErrorException", "by the soak", 500)
            return Answer(503, (("Content-Type", "text/html"),), b"<h1>Service Unavailable</h1>")
        if sickness == "slow":
            time.sleep(SLOW_SECONDS)
        answer = self._done(request, behave)
        if sickness == "late":
            time.sleep(SLOW_SECONDS)
        return answer

    def _unanswered(self, request: Request, how: str) -> None:
        """A request came and nothing was done."""

    def _done(self, request: Request, behave: Behave) -> Answer:
        """The true behaviour."""
        return behave(request)


class Journal(Way):
    """A way that writes down what was asked of the provider's back channel, and what it did."""

    def __init__(
        self,
        endpoint: Endpoint,
        read: Callable[[Request], Grant],
        grants: list[Grant],
        *,
        aws: bool = False,
    ) -> None:
        super().__init__(endpoint, aws=aws)
        self._read = read
        self._grants = grants
        self._turn = threading.Lock()

    def _unanswered(self, request: Request, how: str) -> None:
        self._grants.append(self._read(request)._replace(outcome=how))

    def _done(self, request: Request, behave: Behave) -> Answer:
        with self._turn:  # so that the journal stands in the order in which things were done
            before = self._read(request)
            answer = behave(request)
            won = ""
            if answer.status == 200 and before.kind in ("code", "refresh"):
                won = named(json.loads(answer.body).get("refresh_token", ""))
            outcome = "granted" if answer.status == 200 else "refused"
            self._grants.append(before._replace(at=time.time(), outcome=outcome, won=won))
        return answer


class Provider:
    """User pool, identity pool and API of a fleet, ready to fall ill. `grants` is the journal."""

    def __init__(self, cognito: Cognito) -> None:
        self._pool = cognito.issuer.pool
        self.grants: list[Grant] = []
        issuer, pool, api = cognito.issuer, cognito.pool, cognito.api
        self.parts: dict[Literal["provider", "pool", "api"], list[Way]] = {
            "provider": [
                Journal(issuer.token, self._of_token_request, self.grants),
                Journal(issuer.revoke, self._of_revocation, self.grants),
                Journal(issuer.global_sign_out, self._of_global, self.grants, aws=True),
                Way(issuer.discovery),
                Way(issuer.jwks),
                Way(issuer.user_info),
            ],
            "pool": [Way(pool.get_id, aws=True), Way(pool.get_credentials, aws=True)],
            "api": [Way(api[name]) for name in ("whoami", "test-public")],
        }

    def heal(self) -> None:
        """Everything well."""
        for way in self._ways():
            way.heal()

    def _ways(self) -> Iterable[Way]:
        return (way for part in self.parts.values() for way in part)

    def _of_token_request(self, request: Request) -> Grant:
        form = request.form()
        if form.get("grant_type") == "refresh_token":
            token = form.get("refresh_token", "")
            known = self._pool.refresh_tokens.get(token)
            return _grant("refresh", token, known.occasion if known else None)
        code = form.get("code", "")
        waiting = self._pool.codes.get(code)
        return _grant("code", code, waiting.occasion if waiting else None)

    def _of_revocation(self, request: Request) -> Grant:
        token = request.form().get("token", "")
        known = self._pool.refresh_tokens.get(token)
        return _grant("revoke", token, known.occasion if known else None)

    def _of_global(self, request: Request) -> Grant:
        token = str(request.json().get("AccessToken", ""))
        _, claims = decode(token)
        family, subject = str(claims.get("origin_jti", "")), str(claims.get("sub", ""))
        return Grant("everywhere", time.time(), "", named(token), family, subject)


def _grant(kind: Literal["code", "refresh", "revoke"], token: str, of: Occasion | None) -> Grant:
    family, subject = (of.origin_jti, of.user.sub) if of else ("", "")
    return Grant(kind, time.time(), "", named(token), family, subject)
