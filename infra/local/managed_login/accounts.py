"""Facts about app clients and people, as the pages see them, and the refusals of a user pool."""

from dataclasses import dataclass

_SYMBOLS = frozenset("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+=")


class RefusalError(Exception):
    """The user pool said no; `code` is Cognito's exception name, `reason` its message."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Client:
    """An app client and what it allows."""

    client_id: str
    name: str
    pool_id: str
    callback_urls: tuple[str, ...]
    logout_urls: tuple[str, ...]
    scopes: tuple[str, ...]
    flows: tuple[str, ...]
    sign_up_open: bool


@dataclass(frozen=True, kw_only=True)
class Account:
    """One user of one pool; `status` is Cognito's UserStatus."""

    pool_id: str
    username: str
    email: str
    status: str
    enabled: bool
    has_totp: bool

    @property
    def label(self) -> str:
        """Return the name that the person knows themselves by."""
        return self.email or self.username


@dataclass(frozen=True, kw_only=True)
class PasswordPolicy:
    """A pool's password rules (PasswordPolicyType of the API)."""

    minimum_length: int
    upper: bool
    lower: bool
    number: bool
    symbol: bool

    def rules(self) -> tuple[str, ...]:
        """Return the names of the rules in force, in reading order."""
        wanted = {
            "upper": self.upper,
            "lower": self.lower,
            "number": self.number,
            "symbol": self.symbol,
        }
        return ("length", *(name for name, on in wanted.items() if on))

    def broken_by(self, password: str) -> tuple[str, ...]:
        """Return the names of the rules that this password breaks."""
        kept = {
            "length": len(password) >= self.minimum_length,
            "upper": any(letter.isupper() for letter in password),
            "lower": any(letter.islower() for letter in password),
            "number": any(letter.isdigit() for letter in password),
            "symbol": any(letter in _SYMBOLS for letter in password),
        }
        return tuple(rule for rule in self.rules() if not kept[rule])
