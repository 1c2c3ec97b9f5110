"""An application for the tests of the server: it answers readiness, and one address never."""

import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """200 for everything but /for-ever."""
    if environ["PATH_INFO"] == "/for-ever":
        print("for ever", file=sys.stderr, flush=True)
        threading.Event().wait()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
