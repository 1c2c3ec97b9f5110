"""How many processes a function gets: what the mend does, and that the pinned release needs it."""

import json
from concurrent.futures import ThreadPoolExecutor

from infra.local.fidelity.workers import MOST
from tests.stack.world import World

CALLS = 3 * MOST
_TELLS_ITS_PROCESS = """
import os, time
def handle(event, context):
    time.sleep(0.1)
    return os.getpid()
"""


def _processes(world: World) -> int:
    """How many processes answer so many calls at the same time."""
    function = world.add_function("process", _TELLS_ITS_PROCESS)

    def call(_: int) -> int:
        answer = world.aws.client("lambda").invoke(FunctionName=function)
        return int(json.loads(answer["Payload"].read()))

    with ThreadPoolExecutor(CALLS) as threads:
        return len(set(threads.map(call, range(CALLS))))


def test_a_function_has_a_few_processes(mended: World) -> None:
    """Calls at the same time wait for one of a few processes, and all of them are answered."""
    assert _processes(mended) <= MOST


def test_processes_without_end_are_still_a_gap(plain: World) -> None:
    """The pinned release starts a process for each call that finds the others busy."""
    assert _processes(plain) > MOST
