"""The offline AWS's DynamoDB over TLS, in a process of its own, its tables full before it listens.

Run as `python -m tests.bench.emulator`. What lies in a table is what the store's own `create` asks
for, put there from inside: with signatures, JSON and conditions a hundred thousand would take
minutes, and none of that is Portico's cost.
"""

import argparse
import asyncio
import base64
import gc
import json
import signal
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.local.fidelity import upstream as pinned
from infra.local.provision_sessions import session_table
from infra.stack import load_stack
from tests.bench.prefill import fill
from webapp.store.dynamodb import DynamoStore
from webapp.store.dynamodb.calls import DynamoApi

_GENUINE = {"ResponseMetadata": {"HTTPHeaders": {"content-type": "application/x-amz-json-1.0"}}}


class Inside:
    """What filling takes of boto3's client, answered by the emulator in this very process."""

    def __init__(self, emulator: ModuleType) -> None:
        self._ask = emulator.handle_request
        self._put = emulator._set_item  # noqa: SLF001 - the pin is exact, and a test fills
        self._key = emulator._extract_key_val  # noqa: SLF001
        self._tables = emulator._tables  # noqa: SLF001

    def create_table(self, **arguments: Any) -> None:
        """AWS: CreateTable, by the emulator's own front door."""
        target = {"x-amz-target": "DynamoDB_20120810.CreateTable"}
        body = json.dumps(arguments).encode()
        status, _, said = asyncio.run(self._ask("POST", "/", target, body, {}))
        if status != 200:
            raise RuntimeError(f"CreateTable answered {status}: {said!r}")

    def put_item(self, **arguments: Any) -> Any:
        """AWS: PutItem of a key that is new; so no condition has anything to say."""
        item = {name: _wired(value) for name, value in arguments["Item"].items()}
        table = self._tables[arguments["TableName"]]
        keys = (self._key(item[table[name]]) for name in ("pk_name", "sk_name"))
        self._put(table, *keys, item)
        return _GENUINE


def _wired(value: dict[str, Any]) -> dict[str, Any]:
    return {kind: base64.b64encode(v).decode() if kind == "B" else v for kind, v in value.items()}


def main() -> None:
    """Fill each table named by `--fill name=count`, then serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.emulator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--chain", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--fill", action="append", default=[], metavar="TABLE=COUNT")
    given = parser.parse_args()
    pinned.set_environment(given.port, str(given.folder), keep=False)
    home = pinned.load().app
    gc.disable()
    inside = Inside(home._get_module("dynamodb"))  # noqa: SLF001 - as its own front door does
    for table, _, count in (text.partition("=") for text in given.fill):
        # Without its TTL: a reaper that looks at every item once a minute is nobody's cost here.
        session_table(inside, table, load_stack().session_table, expiry=False)
        # Its clock stands still: a busy machine must not make the store impatient with filling.
        fill(DynamoStore(cast("DynamoApi", inside), table, clock=lambda: 0.0), int(count))
    gc.enable()
    gc.freeze()  # nobody looks for garbage among a hundred thousand sessions
    config = Config()
    config.bind = [f"127.0.0.1:{given.port}"]
    config.certfile, config.keyfile = given.chain, given.key
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(_serve(home.app, config))


async def _serve(application: Any, config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(application, config, shutdown_trigger=stop.wait)


if __name__ == "__main__":
    main()
