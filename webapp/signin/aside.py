"""Work that a request begins, waits for a moment, and leaves to end by itself."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begun(job: Callable[[], T]) -> "Future[T]":
    """The job, in a thread of its own: its outcome, for whoever still waits for it.

    The process does not end before it does: what the job won would be lost. Where there is no
    thread to be had, it is done here and now.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(job())
        except Exception as error:  # it is raised where the outcome is asked for
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, name="aside").start()
    except RuntimeError:
        run()
    return outcome
