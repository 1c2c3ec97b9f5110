"""The people of the user pool, through AWS's admin calls; asked with the operator's credentials.

A person is named by their address (where the pool signs in with it), their username or their `sub`.
Every method raises AnsweredNo, OperatorFault or ProviderUnavailable, and nothing of botocore's.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from webapp.cli.accounts import Account, account_of
from webapp.cli.aws_words import spoken
from webapp.cli.filters import Filter
from webapp.cli.house import House
from webapp.cli.outcome import AnsweredNo
from webapp.services.operator import user_pool_api

PAGE = 60
"""AWS gives no more at a time."""

Attributes = Mapping[str, str]


def directory_of(house: House) -> "Directory":
    """The directory of this house's user pool."""
    settings = house.settings
    with spoken():
        api = user_pool_api(settings)
    return Directory(api, settings.cognito_user_pool_id)


class Directory:
    """One user pool's people; `api` is a boto3 client."""

    def __init__(self, api: Any, pool_id: str) -> None:
        self._api = api
        self._pool = {"UserPoolId": pool_id}

    def create(
        self,
        name: str,
        attributes: Attributes,
        *,
        temporary: str | None,
        invite: bool,
    ) -> Account:
        """Make a person, who has to choose a password at the first sign-in.

        Without a temporary password Cognito makes one, and only its invitation carries it.
        """
        more: dict[str, Any] = {"TemporaryPassword": temporary} if temporary else {}
        if not invite:
            more["MessageAction"] = "SUPPRESS"
        else:
            more["DesiredDeliveryMediums"] = ["EMAIL"]
        with spoken(name, secrets=(temporary or "",)):
            made = self._api.admin_create_user(
                **self._pool, Username=name, UserAttributes=_listed(attributes), **more
            )
        return account_of(made["User"])

    def invite_again(self, name: str) -> None:
        """Send the invitation once more, with a new temporary password."""
        with spoken(name):
            self._api.admin_create_user(
                **self._pool,
                Username=name,
                MessageAction="RESEND",
                DesiredDeliveryMediums=["EMAIL"],
            )

    def set_password(self, name: str, password: str, *, permanent: bool) -> None:
        """Give a person a password; a temporary one is replaced at the next sign-in."""
        with spoken(name, secrets=(password,)):
            self._api.admin_set_user_password(
                **self._pool, Username=name, Password=password, Permanent=permanent
            )

    def update(self, name: str, attributes: Attributes) -> None:
        """Change attributes; those that are not named stay."""
        with spoken(name):
            self._api.admin_update_user_attributes(
                **self._pool, Username=name, UserAttributes=_listed(attributes)
            )

    def find(self, name: str) -> Account:
        """One person with their groups and second factors."""
        with spoken(name):
            described = self._api.admin_get_user(**self._pool, Username=name)
            pages = self._api.get_paginator("admin_list_groups_for_user").paginate(
                **self._pool, Username=described["Username"]
            )
            groups = tuple(str(one["GroupName"]) for page in pages for one in page["Groups"])
        mfa = tuple(described.get("UserMFASettingList") or ())
        return account_of(described, groups=groups, mfa=mfa)

    def seek(self, name: str) -> Account | None:
        """One person as `find`, or None."""
        try:
            return self.find(name)
        except AnsweredNo:
            return None

    def listed(
        self, wanted: Filter | None, group: str | None, limit: int, page: str | None = None
    ) -> tuple[list[Account], str | None]:
        """At most `limit` people, and the mark of the next page if there are more."""
        found: list[Account] = []
        while len(found) < limit:
            few = min(PAGE, limit - len(found))
            accounts, page = (
                self._of_group(group, few, page) if group else self._of_pool(wanted, few, page)
            )
            found += [one for one in accounts if wanted is None or wanted.fits(one)]
            if page is None:
                break
        return found, page

    def group_names(self) -> list[str]:
        """The groups of the pool, sorted."""
        return sorted(str(one["GroupName"]) for one in self._groups())

    def role_names(self) -> list[str]:
        """The names of the roles that groups bring, sorted."""
        arns = (str(one.get("RoleArn") or "") for one in self._groups())
        return sorted({arn.rpartition("/")[2] for arn in arns if arn})

    def require_groups(self, names: Iterable[str]) -> None:
        """Raises AnsweredNo for a group that is not there, and names those that are."""
        if not (wanted := list(names)):
            return
        there = self.group_names()
        if lacking := [name for name in wanted if name not in there]:
            raise AnsweredNo(
                f"There is no group {', '.join(lacking)}; there are: {', '.join(there) or 'none'}.",
                code="group_unknown",
            )

    def join(self, name: str, group: str) -> None:
        """Put a person into a group."""
        with spoken(name):
            self._api.admin_add_user_to_group(**self._pool, Username=name, GroupName=group)

    def leave(self, name: str, group: str) -> None:
        """Take a person out of a group."""
        with spoken(name):
            self._api.admin_remove_user_from_group(**self._pool, Username=name, GroupName=group)

    def enable(self, name: str) -> None:
        """Let a person sign in again."""
        with spoken(name):
            self._api.admin_enable_user(**self._pool, Username=name)

    def disable(self, name: str) -> None:
        """Let a person sign in no more, and end their refresh tokens."""
        with spoken(name):
            self._api.admin_disable_user(**self._pool, Username=name)

    def delete(self, name: str) -> None:
        """Remove a person, for good."""
        with spoken(name):
            self._api.admin_delete_user(**self._pool, Username=name)

    def reset_mfa(self, name: str) -> None:
        """Turn off every second factor; the person may set one up anew."""
        off = {"Enabled": False, "PreferredMfa": False}
        with spoken(name):
            self._api.admin_set_user_mfa_preference(
                **self._pool, Username=name, SoftwareTokenMfaSettings=off
            )

    def described(self) -> Mapping[str, Any]:
        """The pool itself: password policy, attributes (AWS: UserPoolType)."""
        with spoken():
            found: Mapping[str, Any] = self._api.describe_user_pool(**self._pool)["UserPool"]
        return found

    def _groups(self) -> list[Any]:
        with spoken():
            pages = self._api.get_paginator("list_groups").paginate(**self._pool)
            return list(chain.from_iterable(page["Groups"] for page in pages))

    def _of_pool(
        self, wanted: Filter | None, few: int, page: str | None
    ) -> tuple[list[Account], str | None]:
        asked: dict[str, Any] = {"Filter": wanted.for_aws} if wanted else {}
        if page:
            asked["PaginationToken"] = page
        with spoken():
            answer = self._api.list_users(**self._pool, Limit=few, **asked)
        return [account_of(one) for one in answer["Users"]], answer.get("PaginationToken")

    def _of_group(self, group: str, few: int, page: str | None) -> tuple[list[Account], str | None]:
        asked = {"NextToken": page} if page else {}
        with spoken():
            answer = self._api.list_users_in_group(
                **self._pool, GroupName=group, Limit=few, **asked
            )
        return [account_of(one) for one in answer["Users"]], answer.get("NextToken")


def _listed(attributes: Attributes) -> Sequence[Mapping[str, str]]:
    return [{"Name": name, "Value": value} for name, value in attributes.items()]
