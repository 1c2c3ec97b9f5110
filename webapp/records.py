"""The facts that rooms hand to each other. All frozen; whatever is secret stays out of repr()."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """One try to sign in, from leaving for Managed Login to the callback.

    Every secret of the attempt is derived from `seed`, so a browser can hold many in one cookie.
    `started_at` is in epoch seconds.
    """

    seed: bytes = field(repr=False)
    started_at: int
    next_path: str


@dataclass(frozen=True, slots=True)
class TokenSet:
    """The three tokens of one sign-in. `expires_at` is the earlier end of ID and access token."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    issued_at: int
    expires_at: int
    _text: Callable[[], Sequence[Any]] = field(init=False, repr=False, compare=False)

    @classmethod
    def later(
        cls, text: Callable[[], Sequence[Any]], issued_at: int, expires_at: int
    ) -> "TokenSet":
        """One whose three tokens are made by `text` when the first is asked for.

        Most pages need to know when tokens end, and never look at them.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "_text", text)
        object.__setattr__(made, "issued_at", issued_at)
        object.__setattr__(made, "expires_at", expires_at)
        return made

    if not TYPE_CHECKING:  # to a type checker the fields are simply there

        def __getattr__(self, name: str) -> Any:
            # Reached for a slot that is still empty.
            if name not in _TOKENS:
                raise AttributeError(name)
            for token, value in zip(_TOKENS, self._text(), strict=True):
                object.__setattr__(self, token, value)
            return object.__getattribute__(self, name)


_TOKENS = ("id_token", "access_token", "refresh_token")


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in. The key of a person is issuer and subject, never a name or an address."""

    issuer: str
    subject: str
    username: str
    email: str | None
    name: str | None
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    preferred_role: str | None = None


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Temporary AWS credentials of one identity. Times are in epoch seconds."""

    identity_id: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    fetched_at: int
    expires_at: int
    role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What the server remembers of one browser. Without a person it is a guest's.

    `changed_claims` names what the last refresh changed in the ID token, `changed_from` holds the
    values before in the same order. `client` is the browser as a person would name it and `network`
    a keyed hash of where it was, both at the sign-in; `generation` ties the record to the last time
    that everybody was signed out (store/recall.py). `flow` is what happened since the sign-in, one
    short line a step (flow.py).
    """

    created_at: int
    seen_at: int
    person: Person | None = None
    tokens: TokenSet | None = field(default=None, repr=False)
    user_keys: AwsKeys | None = None
    guest_keys: AwsKeys | None = None
    identity_id: str | None = None
    chosen_role: str | None = None
    userinfo: Claims | None = field(default=None, repr=False)
    userinfo_at: int | None = None
    refreshed_at: int | None = None
    changed_claims: tuple[str, ...] = ()
    client: str = ""
    network: str = ""
    generation: str = ""
    changed_from: tuple[str, ...] = field(default=(), repr=False)
    flow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningText:
    """The two texts that a signature was made of (SigV4), the session token already cut."""

    canonical_request: str
    string_to_sign: str


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The request as it left, secrets already cut. `signing` is there if it was signed."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = field(default=None, repr=False)
    signing: SigningText | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Where the time of a call went, in milliseconds; `network` is the whole round trip."""

    credentials: float
    signing: float
    network: float


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What one call of the API brought back. `milliseconds` is the wall time of the round trip.

    `split` says what else took time. `body` is raw and bounded; `cut` says that there was more.
    """

    endpoint: str
    identity: str
    status: int
    reason: str
    milliseconds: float
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    cut: bool
    sent: SentRequest
    role_arn: str | None = None
    request_id: str | None = None
    split: TimeSplit = TimeSplit(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class SettingSource:
    """Where a setting's value came from. `variable` is the one that was read: NAME or NAME_FILE."""

    place: Literal["environment", ".env", "default"]
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting as a person may see it. `value` is None when nothing is set, or it is a secret."""

    name: str
    value: str | None
    is_set: bool
    secret: bool
    source: SettingSource
