"""An address that swallows packets: a connection to it is never made, and never refused."""

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def black_hole() -> Iterator[int]:
    """The port of a black hole on 127.0.0.1: a queue that is full, from which nobody accepts."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while True:
            caller = held.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
            waiting = select.poll()
            waiting.register(caller, select.POLLOUT)
            if not waiting.poll(200):
                break
        yield listener.getsockname()[1]
