"""GET /healthz and /readyz: for machines. The first touches nothing, the second asks each part."""

from flask import Blueprint, Response, jsonify

from webapp.errors import PorticoError
from webapp.managed_login.keys import SigningKeys
from webapp.managed_login.metadata import Metadata
from webapp.store.base import Store


def make_blueprint(store: Store, metadata: Metadata, keys: SigningKeys) -> Blueprint:
    """The probes' blueprint."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _fresh(jsonify(status="ok"))

    @blueprint.get("/readyz")
    def readyz() -> Response:
        parts = {
            "store": _state(store.ping),
            "discovery": _state(metadata.endpoints),
            "signing_keys": _state(keys.warm),
        }
        ready = all(state == "ok" for state in parts.values())
        response = jsonify(status="ready" if ready else "not ready", parts=parts)
        response.status_code = 200 if ready else 503
        if not ready:
            response.headers["Retry-After"] = "5"
        return _fresh(response)

    return blueprint


def _state(probe: object) -> str:
    try:
        probe()  # type: ignore[operator]
    except PorticoError as error:
        return error.code
    return "ok"


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
