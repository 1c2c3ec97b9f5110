"""GET /healthz and /readyz: for machines. The first touches nothing, the second asks each part."""

import threading
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify, request

from webapp.errors import PorticoError

LEAVING = "portico.leaving"
"""Set by the server in a request's environ when this host is about to end; see infra/container."""


def make_blueprint(probes: Mapping[str, Callable[[], object]]) -> Blueprint:
    """The probes' blueprint; each part's probe raises PorticoError when the part is not ready."""
    blueprint = Blueprint("health", __name__)
    asking = threading.Lock()
    known = dict.fromkeys(probes, "being_asked")

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _fresh(jsonify(status="ok"))

    @blueprint.get("/readyz")
    def readyz() -> Response:
        # One asks at a time, or a part that hangs would keep a thread for each who wants to know.
        if asking.acquire(blocking=False):
            try:
                known.update({name: _state(probe) for name, probe in probes.items()})
            finally:
                asking.release()
        parts = dict(known)
        if LEAVING in request.environ:
            parts["server"] = "leaving"
        ready = all(state == "ok" for state in parts.values())
        response = jsonify(status="ready" if ready else "not ready", parts=parts)
        response.status_code = 200 if ready else 503
        if not ready:
            response.headers["Retry-After"] = "5"
        return _fresh(response)

    return blueprint


def _state(probe: Callable[[], object]) -> str:
    try:
        probe()
    except PorticoError as error:
        return error.code
    return "ok"


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
