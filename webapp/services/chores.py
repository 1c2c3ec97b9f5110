"""What runs beside the requests, joined: errands, belated sign-outs, the purge."""

import hmac
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from webapp.caretaker import Caretaker, Chore
from webapp.errors import Unavailable
from webapp.keyring import Keyring
from webapp.observe import event
from webapp.refusals import Refusals
from webapp.settings import Settings
from webapp.signin.belated import Belated
from webapp.signin.errands import Errands
from webapp.store import purge
from webapp.store.base import Store
from webapp.store.keyroll import RENEW_SECONDS, KeyWatch, Strangers

ERRANDS_SECONDS = 5.0
BELATED_SECONDS = 1.0
"""A record that a sign-out could not end goes within ten seconds of the store's return (SO-06)."""


def caretakers(
    errands: Errands, belated: Belated, purger: purge.Purger, key_watch: KeyWatch
) -> tuple[Caretaker, Caretaker]:
    """Two threads a process: no outage of the provider's may hold up what the store is owed."""
    provider = Caretaker([Chore("errands", ERRANDS_SECONDS, errands.work)], report=_report)
    store = Caretaker(
        [
            Chore("belated", BELATED_SECONDS, belated.work),
            Chore("purge", purge.EVERY_SECONDS, purger.work),
            Chore("keys", RENEW_SECONDS, key_watch.look),
        ],
        report=_report,
    )
    errands.hurry = lambda seconds: provider.hurry("errands", seconds)
    purger.hurry = lambda seconds: store.hurry("purge", seconds)
    return provider, store


def refusals_of(settings: Settings, ring: Keyring, now: Callable[[], float]) -> Refusals:
    """The file of this host, of this user, of this store: one for each key that reads."""
    try:
        folder = Path(tempfile.gettempdir())
    except OSError:  # a root that is read-only, with nothing else
        return Refusals([], now=now, report=_report_refusals)
    store = _place(settings.session_store_url).encode()
    names = [hmac.digest(key.index, b"refusals/" + store, "sha256") for key in ring.reading]
    paths = [folder / f"portico-{os.geteuid()}-{name.hex()[:20]}" for name in names]
    return Refusals(paths, now=now, report=_report_refusals)


def key_watch_of(
    settings: Settings, store: Store, ring: Keyring, now: Callable[[], float]
) -> KeyWatch:
    """The watch over the keys in use at this application's store; what it finds is logged."""
    own = ring.writing.name.hex()[:8]

    def tell(found: Strangers) -> None:
        if found.names:
            facts = {"own": own, "others": found.names, "serving": not found.older}
            event("keys_differ", level="error", facts=facts)
        else:
            event("keys_agree", level="warning", own=own)

    return KeyWatch(store, ring, scope=settings.app_base_url, now=now, report=tell)


def report_errand(name: str, count: int) -> None:
    """Log errands that will never be done."""
    event(name, level="error", errands=count)


def _place(url: str) -> str:
    scheme, _, rest = url.partition("://")
    # Two folders may each have a file of the same relative name.
    return str(Path(rest.removeprefix("/")).resolve()) if scheme == "sqlite" else url


def _report(chore: str, error: Exception) -> None:
    if isinstance(error, Unavailable):
        event("chore_waits", level="warning", chore=chore, facts={"code": error.code})
    else:
        event("unforeseen", level="error", chore=chore, error=type(error).__name__)


def _report_refusals(why: str) -> None:
    event("refusals_in_memory", level="warning", reason=why)
