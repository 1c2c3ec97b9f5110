"""Rooms for one command: all of the application over a store that ends with the command.

What somebody signs in with here is sealed with a key that nobody keeps, in a folder that nobody
else may read, and gone afterwards.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from webapp.cli.house import House
from webapp.services import Services, build
from webapp.signin.matrix import AT_A_TIME

THREADS = 4 * AT_A_TIME
"""As if so many served requests: half of them may call the API, and a matrix is all there is."""


@contextmanager
def workshop(house: House) -> Iterator[Services]:
    """Rooms like the application's own, but for store and key. Raises SettingsProblems."""
    settings = house.settings
    with TemporaryDirectory(prefix="portico-") as folder:
        own = {
            "session_store_url": f"sqlite:///{folder}/sessions.db",
            "secret_key": os.urandom(32),
            "secret_key_fallbacks": (),
        }
        yield build(settings.model_copy(update=own), now=house.now, threads=THREADS)
