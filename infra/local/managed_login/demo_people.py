"""The people of the offline demo, for the sign-in page: their passwords are public by design."""

from dataclasses import dataclass
from functools import cache

from infra.demo_facts import Demo
from infra.local.managed_login.pool import UserPools
from infra.stack import load_stack


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    """Somebody to sign in as, and what there is to see then."""

    email: str
    password: str
    groups: tuple[str, ...]
    note: str


def demo_people(pools: UserPools, pool_id: str) -> list[DemoPerson]:
    """Return those of the demo who are in this pool and whose password is still the demo's."""
    demo = _demo()
    found = []
    for user in demo.users:
        password = demo.temporary_password if user.must_change_password else demo.password
        if pools.authenticate(pool_id, user.email, password) is not None:
            found.append(
                DemoPerson(email=user.email, password=password, groups=user.groups, note=user.note)
            )
    return found


@cache
def _demo() -> Demo:
    return load_stack().demo
