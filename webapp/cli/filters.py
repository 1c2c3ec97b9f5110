"""What `users list --filter` understands, and what Cognito can search by (AWS: ListUsers)."""

import re
from dataclasses import dataclass

from webapp.cli.accounts import Account
from webapp.errors import BadInput

SEARCHABLE = (
    "email", "username", "sub", "name", "given_name", "family_name", "preferred_username",
    "phone_number", "cognito:user_status", "status",
)  # fmt: skip
_FORM = re.compile(r"\s*([\w:]+)\s*(\^?=)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: a value that is equal, or begins so."""

    name: str
    prefix: bool
    value: str

    @classmethod
    def read(cls, text: str) -> "Filter":
        """From `NAME=VALUE` or `NAME^=BEGINNING`. Raises BadInput with what is possible."""
        found = _FORM.fullmatch(text)
        if found is None or found[1] not in SEARCHABLE:
            raise BadInput(
                "A filter is NAME=VALUE or NAME^=BEGINNING, and Cognito can search by "
                f"{', '.join(SEARCHABLE)} only."
            )
        return cls(found[1], found[2] == "^=", found[3].strip('"'))

    @property
    def for_aws(self) -> str:
        """The condition as ListUsers takes it."""
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.name} {"^=" if self.prefix else "="} "{value}"'

    def fits(self, account: Account) -> bool:
        """Whether the account is one of these; for a group's list, which AWS does not filter."""
        there, wanted = _value(account, self.name).casefold(), self.value.casefold()
        return there.startswith(wanted) if self.prefix else there == wanted


def _value(account: Account, name: str) -> str:
    if name == "username":
        return account.username
    if name == "cognito:user_status":
        return account.status
    if name == "status":
        return "Enabled" if account.enabled else "Disabled"
    return account.attributes.get(name, "")
