"""What the stand-ins share: endpoints on a server, a lock, and loudness."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.doubles.clock import Clock
from tests.doubles.endpoint import Endpoint
from tests.doubles.message import Answer, Behave, Complaint, Request
from tests.doubles.server import Server

Now = Callable[[], float]
AWS_JSON = "application/x-amz-json-1.1"


class Double:
    """A stand-in that speaks HTTP; whole, programmable and loud.

    Its true behaviour runs under one lock, so that a single-use code is single use also in a race.
    """

    def __init__(self, server: Server | None = None, now: Now | None = None) -> None:
        self.server = server or Server()
        self.now: Now = now or Clock()
        self.lock = threading.RLock()
        self.endpoints: list[Endpoint] = []
        self._routes: dict[str, dict[str, Endpoint]] = {}
        self._actions: dict[str, Endpoint] = {}
        self._prefixes: set[str] = set()
        self.server.mount(self.handle)
        self.server.on_close.append(self._release)

    def serve(self, name: str, methods: str, path: str, behave: Behave) -> Endpoint:
        """Serve an endpoint at a path, for the methods named (separated by spaces)."""
        endpoint = self._endpoint(name, behave)
        for method in methods.split():
            self._routes.setdefault(path, {})[method] = endpoint
        return endpoint

    def serve_action(self, target: str, behave: Behave) -> Endpoint:
        """Serve an action of an AWS JSON 1.1 service, by its X-Amz-Target."""
        endpoint = self._endpoint(target.rpartition(".")[2], lambda r: behave(_unsigned(r)))
        self._actions[target] = endpoint
        self._prefixes.add(target.partition(".")[0])
        return endpoint

    def handle(self, request: Request) -> Answer | None:
        """Answer a request, or None when it is not for this double."""
        target = request.header("X-Amz-Target")
        if target is not None and target.partition(".")[0] in self._prefixes:
            if target not in self._actions:
                raise Complaint(f"{target}: this action is not part of the double")
            if request.method != "POST" or request.target != "/":
                raise Complaint(f"{target}: called by {request.method} {request.target}")
            return self._actions[target].handle(request)
        methods = self._routes.get(request.path)
        if methods is None:
            return None
        if request.method not in methods:
            raise Complaint(f"{request.method} {request.path}: only {' '.join(methods)} here")
        return methods[request.method].handle(request)

    def heal(self) -> None:
        """Drop every fault of every endpoint."""
        for endpoint in self.endpoints:
            endpoint.heal()

    def assert_quiet(self) -> None:
        """Raise AssertionError if a client asked for what no right client asks for."""
        self.server.assert_quiet()

    def close(self) -> None:
        """Stop the server, then `assert_quiet`."""
        self.server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.__exit__(kind, error, trace)

    def _endpoint(self, name: str, behave: Behave) -> Endpoint:
        def locked(request: Request) -> Answer:
            with self.lock:
                return behave(request)

        endpoint = Endpoint(name, locked)
        self.endpoints.append(endpoint)
        return endpoint

    def _release(self) -> None:
        for endpoint in self.endpoints:
            endpoint.release()


def _unsigned(request: Request) -> Request:
    # These calls are public: a signature means that some ambient AWS identity has been used.
    if request.header("Authorization") is not None:
        raise Complaint(f"{request.header('X-Amz-Target')}: signed, though it is a public call")
    if request.header("Content-Type") != AWS_JSON:
        raise Complaint(f"{request.header('X-Amz-Target')}: content type is not {AWS_JSON}")
    return request


def required(fields: dict[str, object] | dict[str, str], *names: str, where: str) -> None:
    """Complain about any of these fields that is absent or empty."""
    missing = [name for name in names if not fields.get(name)]
    if missing:
        raise Complaint(f"{where}: missing {', '.join(missing)}")
