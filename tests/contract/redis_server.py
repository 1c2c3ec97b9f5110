"""Real Redis servers on loopback, each in a folder of its own, stopped with the test."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests.parts import program

PATIENCE_SECONDS = 15.0
SLOTS = 16384


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisServer:
    """One server; `options` are further words of its configuration."""

    def __init__(self, folder: Path, *options: str, password: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.password = password
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address for SESSION_STORE_URL."""
        password = f":{self.password}@" if self.password else ""
        return f"redis://{password}127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process
        return self._process.pid

    def start(self, *, wait: bool = True) -> None:
        """Start it, unless it runs."""
        if self._process and self._process.poll() is None:
            return
        name = program("redis")
        assert name
        defaults = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        defaults += ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([name, *defaults, *self._options], stdout=log)
        if wait:
            until(self._answers)

    def stop(self) -> None:
        """Kill it, as an outage does; what it held is gone."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)

    def say(self, *command: str | bytes | int) -> Any:
        """What it answers to an operator."""
        client = Redis(port=self.port, password=self.password, protocol=2)
        try:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]
        finally:
            client.close()

    def empty(self) -> None:
        """Forget every key and every script."""
        self.say("FLUSHALL")
        self.say("SCRIPT", "FLUSH")

    def lives(self) -> dict[bytes, int]:
        """Every key, with the milliseconds until it ends; -1 is a key without an end."""
        client = Redis(port=self.port, password=self.password, protocol=2)
        try:
            return {key: client.pttl(key) for key in client.scan_iter(count=1000)}
        finally:
            client.close()

    def await_cluster(self, size: int) -> None:
        """Wait until it sees the whole cluster, and that it works."""

        whole_one = {
            "cluster_state:ok",
            f"cluster_slots_ok:{SLOTS}",
            f"cluster_known_nodes:{size}",
        }

        def whole() -> bool:
            said: bytes = self.say("CLUSTER", "INFO")
            return whole_one <= set(said.decode().splitlines())

        until(whole)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text()
        with suppress(RedisError):
            self.say("PING")
            return True
        return False


def until(holds: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
    """Wait for it, not for ever."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@contextmanager
def started(folder: Path, *options: str, password: str | None = None) -> Iterator[RedisServer]:
    """A server that runs until the end of the block."""
    server = RedisServer(folder, *options, password=password)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def clustered(folder: Path, size: int = 3) -> Iterator[list[RedisServer]]:
    """A cluster of so many masters, each with its share of the slots."""
    with ExitStack() as stack:
        nodes, buses = [], [free_port() for _ in range(size)]
        for number, bus in enumerate(buses):
            options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
            options += ["--cluster-node-timeout", "2000"]
            nodes.append(stack.enter_context(started(folder / str(number), *options)))
        for number, node in enumerate(nodes):
            first, end = SLOTS * number // size, SLOTS * (number + 1) // size - 1
            node.say("CLUSTER", "ADDSLOTSRANGE", first, end)
            node.say("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number:
                node.say("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, buses[0])
        for node in nodes:
            node.await_cluster(size)
        yield nodes
