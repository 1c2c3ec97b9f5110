"""Notices a session that goes on in another browser than the one that began it (row SE-19)."""

from webapp.clients import Client
from webapp.observe import event
from webapp.store.vault import Session

MOST_REMEMBERED = 10_000


class Elsewhere:
    """Tells the log once of each such session and browser."""

    def __init__(self) -> None:
        self._told: dict[tuple[bytes, Client], None] = {}

    def compare(self, session: Session, client: Client) -> None:
        """Hold the browser that shows a ticket against the one that signed in."""
        record = session.record
        if client.name == record.client or not record.client:
            return
        if (session.place, client) in self._told:
            return
        self._told[session.place, client] = None
        if len(self._told) > MOST_REMEMBERED:
            self._told.pop(next(iter(self._told)), None)
        event(
            "session_in_another_browser",
            level="warning",
            began_in=record.client,
            now_in=client.name,
            same_network=client.network == record.network,
        )
