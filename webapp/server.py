"""What serves the application. gunicorn tells nobody, so it is asked where it loads us.

The bulkheads want to know how many threads there are, and a start must refuse timeouts under which
a healthy request would be killed.
"""

import inspect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Server:
    """Settings of the gunicorn that loads us; `threads` serve requests, None when it is not clear.

    `timeout` and `graceful_timeout` are in seconds.
    """

    threads: int | None
    timeout: float
    graceful_timeout: float


def loading() -> Server | None:
    """The gunicorn whose loading of the application this call is a part of, if there is one.

    Its settings as they came of its file, its command line and GUNICORN_CMD_ARGS.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith("gunicorn."):
            settings = getattr(frame.f_locals.get("self"), "cfg", None)
            if settings is not None:
                return Server(
                    _threads(settings), float(settings.timeout), float(settings.graceful_timeout)
                )
        frame = frame.f_back
    return None


def _threads(settings: Any) -> int | None:
    kind = settings.settings["worker_class"].get()
    # A name, or a class such as that of infra/container/worker.py.
    lineage = [one.__name__ for one in kind.__mro__] if isinstance(kind, type) else [str(kind)]
    if "ThreadWorker" in lineage or settings.worker_class_str == "gthread":
        return int(settings.threads)
    if "SyncWorker" in lineage or settings.worker_class_str == "sync":
        return 1
    return None
