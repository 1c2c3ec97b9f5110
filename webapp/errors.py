"""The error family: a code for programs, a sentence for people, facts for the log.

No HTTP here; `views/error_pages.py` is the only map from these to a status and a page.

    PorticoError
    ├── SettingsProblems        the environment is not fit to start with
    ├── BadInput                what the browser sent is not on any list of ours
    ├── Forbidden               proof of intent is missing: CSRF token, origin, fetch metadata
    ├── NotOffered              a known thing, asked in a way it is not offered (method, identity)
    ├── SignInRefused           an attempt to sign in ended; the person may start again
    ├── SessionEnded            the provider or a limit ended the session; sign in again
    ├── Unavailable             a part that we need is out of reach; nothing is lost
    │   ├── StoreUnavailable
    │   ├── KeysDiffer          another host over the same store has a key that this one lacks
    │   ├── ProviderUnavailable
    │   ├── PoolUnavailable
    │   ├── ApiBusy             as many calls are under way as may be
    │   └── ApiUnavailable      refused, reset, cut short
    │       └── ApiTimedOut     the total deadline passed
    └── OperatorFault           the stack is set up so that this cannot work; waiting does not help
"""

from typing import ClassVar


class PorticoError(Exception):
    """Base of all errors that a room hands to another.

    `code` is stable and safe to show; `facts` go to the log and never hold a secret.
    """

    code = "error"

    def __init__(self, sentence: str, *, code: str | None = None, **facts: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts
        if code is not None:
            self.code = code


class SettingsProblems(PorticoError):
    """Every problem found in the environment, in one go."""

    code = "settings"

    def __init__(self, problems: list[str]) -> None:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"Portico does not start; the settings need attention:\n{lines}")
        self.problems = problems


class BadInput(PorticoError):
    """The request names something that does not exist here or is malformed."""

    code = "bad_input"


class Forbidden(PorticoError):
    """The request does not prove that the person meant it."""

    code = "forbidden"


class NotOffered(PorticoError):
    """The thing exists; this way of asking for it does not."""

    code = "not_offered"


class SignInRefused(PorticoError):
    """A sign-in attempt ended without a session. `next` is where the person was heading."""

    code = "sign_in_refused"

    def __init__(self, sentence: str, *, code: str, next_path: str = "/", **facts: object) -> None:
        super().__init__(sentence, code=code, **facts)
        self.next_path = next_path


class SessionEnded(PorticoError):
    """The session is over: expired, revoked at the provider, or ended elsewhere.

    `next_path` is the page that was asked for, to come back to.
    """

    code = "session_ended"
    next_path = "/"

    @property
    def keeps_cookie(self) -> bool:
        """Whether the browser's cookie is not the one that ended.

        Another request may have given it a new ticket, or it is a guest's.
        """
        return self.code in ("ended_meanwhile", "signed_out")


class Unavailable(PorticoError):
    """A part is out of reach for now. `retry_after` is in seconds.

    `next_path` is set while somebody signs in: where they were heading, to start again from there.
    """

    code = "unavailable"
    part: ClassVar[str] = "a part"
    next_path: str | None = None

    def __init__(
        self, sentence: str, *, code: str | None = None, retry_after: int = 5, **facts: object
    ) -> None:
        super().__init__(sentence, code=code, **facts)
        self.retry_after = retry_after


class StoreUnavailable(Unavailable):
    """The session store does not answer or does not take a write."""

    code = "store_unavailable"
    part = "the session store"


class KeysDiffer(Unavailable):
    """The hosts over one store do not have the same keys; this one may not, or cannot, serve."""

    code = "keys_differ"
    part = "the servers' key"


class ProviderUnavailable(Unavailable):
    """The user pool (Managed Login, token endpoint, key set) is out of reach or talks nonsense."""

    code = "provider_unavailable"
    part = "the user pool"


class PoolUnavailable(Unavailable):
    """The identity pool is out of reach or asks for patience."""

    code = "pool_unavailable"
    part = "the identity pool"


class ApiBusy(Unavailable):
    """As many calls of the API are under way as may be; the others must not wait behind them."""

    code = "api_busy"
    part = "the API"


class ApiUnavailable(Unavailable):
    """The API gave no whole answer: refused, reset, unresolvable, cut short."""

    code = "api_unavailable"
    part = "the API"


class ApiTimedOut(ApiUnavailable):
    """The API did not answer within the total deadline."""

    code = "api_timed_out"


class OperatorFault(PorticoError):
    """The AWS side is set up so that this cannot succeed; an operator has to change it."""

    code = "operator_fault"
