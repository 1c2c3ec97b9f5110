"""A person's sessions, seen from any one of them: listed, ended one by one or all, and capped."""

from dataclasses import dataclass

from webapp.errors import BadInput
from webapp.records import Person
from webapp.store.labels import Label, read_label
from webapp.store.vault import Session, Vault

NAME_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One session in a person's list. `name` tells it apart and opens nothing."""

    name: str
    created_at: int
    seen_at: int
    client: str
    is_this: bool


class Roster:
    """Lists and ends. `most` is how many sessions one person may have at a time."""

    def __init__(self, vault: Vault, *, most: int) -> None:
        self._vault = vault
        self.most = most

    def of(self, person: Person, this: Session | None = None) -> list[Entry]:
        """All sessions of a person, `this` first, then the most lately seen.

        Raises StoreUnavailable.
        """
        entries = [
            Entry(
                _name(place),
                label.created_at,
                label.seen_at,
                label.client,
                this is not None and place == this.place,
            )
            for place, label in self._labelled(person)
        ]
        return sorted(entries, key=lambda one: (not one.is_this, -one.seen_at, one.name))

    def end(self, person: Person, name: str) -> bool:
        """End the one of this name. False when it was over already.

        Raises BadInput for what is no name, StoreUnavailable.
        """
        if len(name) != NAME_CHARACTERS:
            raise BadInput("There is no such session; look at the list again.")
        places = [place for place, _ in self._labelled(person) if _name(place) == name]
        return sum([self._vault.end_place(place) for place in places]) > 0

    def end_others(self, session: Session) -> int:
        """End all of this session's person but this; how many there were.

        Raises StoreUnavailable.
        """
        person = session.record.person
        if person is None:
            return 0
        places = [place for place, _ in self._labelled(person) if place != session.place]
        return sum([self._vault.end_place(place) for place in places])

    def make_room(self, session: Session) -> int:
        """Keep the cap after a sign-in: the oldest go, never this one; how many went.

        Raises StoreUnavailable.
        """
        person = session.record.person
        if person is None:
            return 0
        others = [
            (label.created_at, place)
            for place, label in self._labelled(person)
            if place != session.place
        ]
        surplus = len(others) + 1 - self.most
        return sum([self._vault.end_place(place) for _, place in sorted(others)[: max(0, surplus)]])

    def _labelled(self, person: Person) -> list[tuple[bytes, Label]]:
        """Places and labels; one that cannot be read counts as the oldest: it may be planted."""
        unreadable = Label(0, 0, "")
        return [
            (one.key, read_label(one.label, self._vault.keys, one.key) or unreadable)
            for one in self._vault.listed(person)
        ]


def _name(place: bytes) -> str:
    return place.hex()[:NAME_CHARACTERS]
