"""The real application, which kills itself with kill -9 at a marked point when a file says so.

`gunicorn tests.security.failpoints:app`. The file `strike` in the working folder holds a line such
as `/callback store.create before 1`: within one request to that path, just before the first call of
the store's `create`, this worker is gone. The file is gone as well then, so it happens once.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import g, has_request_context, request

from webapp.app import create_app
from webapp.services import build
from webapp.settings import Settings

STRIKE = Path("strike")
MARKED = {
    "store": ("load", "create", "replace", "delete", "claim", "release"),
    "managed_login": ("exchange", "refresh", "revoke", "sign_out_everywhere"),
}


def _marked(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def marked(*arguments: Any, **more: Any) -> Any:
        if not has_request_context():
            return call(*arguments, **more)
        counts: dict[str, int] = g.setdefault("marked_calls", {})
        counts[name] = counts.get(name, 0) + 1
        _strike(f"{request.path} {name} before {counts[name]}")
        answer = call(*arguments, **more)
        _strike(f"{request.path} {name} after {counts[name]}")
        return answer

    return marked


def _strike(here: str) -> None:
    try:
        if STRIKE.read_text().strip() != here:
            return
        STRIKE.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _made() -> Any:
    settings = Settings.load(os.environ)
    rooms = build(settings)
    for room, names in MARKED.items():
        for name in names:
            call = getattr(getattr(rooms, room), name)
            setattr(getattr(rooms, room), name, _marked(f"{room}.{name}", call))
    return create_app(settings, rooms)


app = _made()
