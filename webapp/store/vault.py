"""Sessions in the store: opened by a ticket, changed only as read, gone for good when ended."""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from webapp.errors import SessionEnded
from webapp.keyring import Key, Keyring
from webapp.records import Person, SessionRecord
from webapp.store.base import Listed, Store, Stored
from webapp.store.endings import Endings
from webapp.store.labels import label_of
from webapp.store.recall import Recall
from webapp.store.sealing import Ticket, Unopenable, seal, unseal

Clock = Callable[[], float]
Change = Callable[[SessionRecord], SessionRecord]
HEIRS = 2
"""So many changes of ticket back a sign-out still finds the session."""
CONFLICTS = 20


@dataclass(frozen=True, slots=True)
class Session:
    """A record in the hands of one request, with what is needed to change it.

    `place` is the record's key in the store; CSRF tokens are bound to it as well.
    """

    ticket: Ticket = field(repr=False)
    key: Key = field(repr=False)
    place: bytes
    record: SessionRecord
    version: int


class Vault:
    """Creates, opens, changes and ends sessions.

    `idle` and `absolute` are the lifetimes in seconds; `now` gives epoch seconds. `report` is told
    the place of a record that was refused, and why: damage, or somebody at the store.
    """

    def __init__(
        self,
        store: Store,
        ring: Keyring,
        *,
        idle: int,
        absolute: int,
        now: Clock = time.time,
        report: Callable[[bytes, str], object] = lambda place, why: None,
    ) -> None:
        self.store = store
        self._ring = ring
        self.idle = idle
        self.absolute = absolute
        self._now = now
        self._report = report
        self._endings = Endings(store, report)
        self.recall = Recall(store, ring, absolute=absolute, now=now)

    def create(self, record: SessionRecord) -> Session:
        """Put a new record away under a new ticket."""
        record = replace(record, generation=self.recall.current())
        return self._put(Ticket.fresh(self._ring.writing.mark), self._ring.writing, record)

    def _put(self, ticket: Ticket, key: Key, record: SessionRecord) -> Session:
        place = ticket.place(key)
        made = self.store.create(
            place,
            seal(record, ticket, key, place),
            expires_at=self._end(record),
            person=self.person_key(record.person),
            now=self._now(),
            label=label_of(record, key, place),
        )
        if not made:  # 128 random bits met a taken key: never by chance
            raise SessionEnded("The session could not be made; sign in again.", code="clash")
        return Session(ticket, key, place, record, 1)

    def open(self, text: str) -> Session | None:
        """The living session behind a cookie's value.

        None for an unknown, ended or unreadable one; all of them mean: nobody is signed in.
        """
        ticket = Ticket.parse(text)
        if ticket is None:
            return None
        for key in self._ring.marked(ticket.mark):
            session = self._load(ticket, key)
            if session is not None:
                return session if self.recall.admits(session.record.generation) else None
        return None

    def heir_of(self, text: str) -> Session | None:
        """The session that moved on from this ticket, for ending it.

        For nothing else: whoever still holds a ticket that was replaced must get nowhere with it.
        """
        ticket = Ticket.parse(text)
        heirs = [(ticket, key) for key in self._ring.marked(ticket.mark)] if ticket else []
        for _ in range(HEIRS):
            heirs = [(one.heir(of, key), key) for one, of in heirs for key in self._ring.reading]
            for ticket, key in heirs:
                if (found := self._load(ticket, key)) is not None:
                    return found
        return None

    def places_of(self, text: str) -> list[bytes]:
        """Where the record behind a cookie's value, or its heir, would lie; none for no ticket."""
        ticket = Ticket.parse(text)
        own = [(ticket, key) for key in self._ring.marked(ticket.mark)] if ticket else []
        heirs = [(one.heir(of, key), key) for one, of in own for key in self._ring.reading]
        return [one.place(key) for one, key in own + heirs]

    def reload(self, session: Session) -> Session | None:
        """The session as it stands now, under its next ticket if it moved; None when it is gone."""
        found = self._load(session.ticket, session.key, session.place)
        if found is not None:
            return found
        heirs = (_heir_of(session, key) for key in self._ring.reading)
        return next((one for heir in heirs if (one := self._load(heir.ticket, heir.key))), None)

    def change(self, session: Session, change: Change) -> Session:
        """Apply `change` to the newest record and write it.

        Another request may have written in between; then the change is made anew on what that one
        left. Raises SessionEnded when the record is gone: a change never brings it back.
        """
        current: Session | None = session
        for _ in range(CONFLICTS):
            if current is None:
                break
            record = change(current.record)
            if record == current.record:
                return current
            sealed = seal(record, current.ticket, current.key, current.place)
            if self.store.replace(
                current.place,
                sealed,
                version=current.version,
                expires_at=self._end(record),
                label=label_of(record, current.key, current.place),
            ):
                return replace(current, record=record, version=current.version + 1)
            current = self.reload(current)
        raise SessionEnded("This session ended meanwhile; sign in again.", code="ended_meanwhile")

    def end(self, session: Session) -> SessionRecord | None:
        """End the session; the record as it stood at that very moment, None when it was gone.

        The newest record matters: a refresh in flight may have put a newer refresh token there.
        """
        until = int(self._now()) + self.absolute
        # `move` may have given it a new ticket since it was read: then that one ends as well.
        ended = [
            self._unsealed(stored, held.ticket, held.key, held.place)
            for held in (session, *(_heir_of(session, key) for key in self._ring.reading))
            if (stored := self._endings.delete(held.place, until=until)) is not None
        ]
        return ended[0] if ended else None

    def move(self, session: Session) -> Session:
        """Give the session a new ticket; the old one is dead at once.

        The new record stands before the old one goes: an outage in between loses nothing, and an
        `end` at the same moment finds one of the two. Raises SessionEnded when the session is gone.
        """
        heir = _heir_of(session, self._ring.writing)
        heir = self._put(heir.ticket, heir.key, session.record)
        stored = self._endings.delete(session.place, until=int(self._now()) + self.absolute)
        if stored is None:
            self.end(heir)
            raise SessionEnded(
                "This session ended meanwhile; sign in again.", code="ended_meanwhile"
            )
        newest = self._unsealed(stored, session.ticket, session.key, session.place)
        return self.change(heir, lambda record: newest or record)

    def end_all_of(self, person: Person) -> int:
        """End every session of a person; how many there were."""
        return sum([self.end_place(one.key) for one in self.listed(person)])

    def end_place(self, place: bytes) -> bool:
        """End the session that lies there, without its ticket; False when it was over."""
        return self._endings.delete(place, until=int(self._now()) + self.absolute) is not None

    def listed(self, person: Person) -> list[Listed]:
        """A person's living records as the store lists them."""
        now = self._now()
        return [
            one
            for key in self._ring.reading
            for one in self.store.listed(self._person_key(person, key), now=now)
        ]

    @property
    def keys(self) -> tuple[Key, ...]:
        """All keys that read."""
        return self._ring.reading

    def person_key(self, person: Person | None) -> bytes | None:
        """The keyed hash under which the store lists a person's records."""
        return None if person is None else self._person_key(person, self._ring.writing)

    def touch(self, session: Session) -> Session:
        """Note that the person was here; at most one write a minute, less for short lifetimes."""
        now = int(self._now())
        if now - session.record.seen_at < min(60, max(1, self.idle // 4)):
            return session
        return self.change(
            session, lambda record: replace(record, seen_at=max(now, record.seen_at))
        )

    def seconds_left(self, record: SessionRecord) -> int:
        """How long the session would live without another request."""
        return max(0, self._end(record) - int(self._now()))

    def _load(self, ticket: Ticket, key: Key, place: bytes | None = None) -> Session | None:
        place = place or ticket.place(key)
        stored = self._endings.load(place, now=self._now())
        if stored is None:
            return None
        record = self._unsealed(stored, ticket, key, place)
        return Session(ticket, key, place, record, stored.version) if record else None

    def _unsealed(
        self, stored: Stored, ticket: Ticket, key: Key, place: bytes
    ) -> SessionRecord | None:
        try:
            return unseal(stored.sealed, ticket, key, place)
        except Unopenable as why:
            self._report(place, str(why))
            return None

    def _end(self, record: SessionRecord) -> int:
        return min(record.seen_at + self.idle, record.created_at + self.absolute)

    @staticmethod
    def _person_key(person: Person, key: Key) -> bytes:
        return hmac.digest(key.index, f"{person.issuer}\x00{person.subject}".encode(), "sha256")


def _heir_of(session: Session, key: Key) -> Session:
    ticket = session.ticket.heir(session.key, key)
    return replace(session, ticket=ticket, key=key, place=ticket.place(key), version=1)
