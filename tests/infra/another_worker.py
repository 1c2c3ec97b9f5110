"""A kind of worker that says nothing of its threads."""

from gunicorn.workers.base import Worker


class AnotherWorker(Worker):  # type: ignore[misc]
    """Loads the application, which then ends it."""
