"""Puts an answer on a socket, with the faults that the answer carries."""

import socket
import struct
import threading
from collections.abc import Iterator

from tests.doubles.message import Answer

TICKS_PER_SECOND = 20


class Stopped(Exception):
    """The exchange ends here; the connection is closed."""


def send(connection: socket.socket, answer: Answer, closing: threading.Event) -> None:
    """Send an answer; Stopped when the connection must not be used again."""
    if answer.reset and answer.cut_after is None:
        _reset(connection)
    head, body = answer.head(), _body(answer)
    if answer.bytes_per_second is None:
        connection.sendall(head)
    elif answer.drip_head:
        _drip(connection, head, answer.bytes_per_second, closing)
    else:
        connection.sendall(head)
    for piece in body:
        if answer.bytes_per_second is None:
            connection.sendall(piece)
        else:
            _drip(connection, piece, answer.bytes_per_second, closing)
        if closing.is_set():
            raise Stopped
    if answer.cut_after is not None:
        if answer.reset:
            _reset(connection)
        raise Stopped


def _body(answer: Answer) -> Iterator[bytes]:
    if answer.stream is not None:
        for piece in answer.stream():
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"
    elif answer.cut_after is not None:
        yield answer.body[: answer.cut_after]
    else:
        yield answer.body


def _drip(
    connection: socket.socket, data: bytes, bytes_per_second: float, closing: threading.Event
) -> None:
    step = max(1, int(bytes_per_second / TICKS_PER_SECOND))
    for start in range(0, len(data), step):
        connection.sendall(data[start : start + step])
        if closing.wait(step / bytes_per_second):
            raise Stopped


def _reset(connection: socket.socket) -> None:
    # Linger of zero seconds: closing sends RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Stopped
