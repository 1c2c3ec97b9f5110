"""How many processes a Lambda function may have: a few, where AWS would start hundreds.

The pinned release starts a process for every call that comes while the others are busy. AWS can
afford that and one machine cannot: the first access matrix would start thirty Pythons at once, and
time out. Here a call waits for a process to be free, which takes milliseconds.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from infra.local.fidelity.upstream import Upstream, replace

MOST = 3
"""Of one function. None of ours calls itself, so nobody waits for a process that waits for them."""


def mend(upstream: Upstream) -> None:
    """Wrap what runs a function in a process of its own."""
    lock = threading.Lock()
    free: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(MOST))

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def execute(func: dict[str, Any], event: Any, request_id: str) -> Any:
            name = str((func.get("config") or func).get("FunctionName", ""))
            with lock:
                slot = free[name]
            with slot:
                return original(func, event, request_id)

        return execute

    replace(upstream.lambda_svc, "_execute_function_warm", make)
