"""The offline AWS as one process: ministack in this process, mended, behind our own layers.

    python -m infra.local.server --port 4566 --state-dir DIR [--keep] [--plain]

Listens on loopback only. It stops on SIGTERM, on SIGINT, and when its standard input is a pipe
that closes, so that it never outlives whoever started it. `--plain` leaves every mend out; the
tests that watch the gaps use it.
"""

import argparse
import asyncio
import os
import signal
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.local import state
from infra.local.asgi import Application, Stack
from infra.local.border import own_names_only, own_pages_only
from infra.local.fidelity import upstream as pinned
from infra.local.fidelity.ledger import Ledger
from infra.local.fidelity.mends import mend_all
from infra.local.managed_login.app import handle

EXIT_UNUSABLE = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; return the exit status."""
    options = _parse(arguments)
    if problem := pinned.problem():
        print(problem, file=sys.stderr)
        return EXIT_UNUSABLE
    options.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    pinned.set_environment(options.port, str(options.state_dir), keep=options.keep)
    upstream = pinned.load()
    ledger = Ledger()
    memory = options.state_dir / "portico-ledger.json"
    if options.keep:
        state.restore(memory, {"ledger": ledger})
    application: Application = upstream.app.app
    if not options.plain:
        # Managed Login's forms guard themselves; a strict referrer policy makes their Origin null.
        layers = (own_names_only, handle, own_pages_only, *mend_all(upstream, ledger))
        application = Stack(layers, application)
    try:
        asyncio.run(_serve(application, options.port))
    finally:
        upstream.lambda_runtime.reset()
        if options.keep:
            state.save(memory, {"ledger": ledger})
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--keep", action="store_true", help="load the state and save it at the end")
    parser.add_argument("--plain", action="store_true", help="ministack as it is, without mends")
    return parser.parse_args(arguments)


async def _serve(application: Any, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        loop.add_reader(sys.stdin.fileno(), stop.set)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = 0.3
    config.keep_alive_timeout = 75
    await serve(application, config, shutdown_trigger=stop.wait)


if __name__ == "__main__":
    sys.exit(main())
