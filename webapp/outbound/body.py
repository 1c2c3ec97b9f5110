"""The body of an answer, decoded and bounded: a bomb is cut before it goes off."""

import zlib
from http.client import HTTPResponse, IncompleteRead

CHUNK = 64 * 1024
ZLIB, GZIP = 15, 31
_WBITS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}


def decoded(response: HTTPResponse, cap: int) -> tuple[bytes, bool]:
    """Up to `cap` bytes, and whether there was more.

    We ask for no encoding; one layer of gzip or deflate is taken off all the same, anything else
    stays as it came. Raises IncompleteRead when the answer ends too early, zlib.error when it is
    not what it claims to be.
    """
    wbits = _WBITS.get((response.getheader("Content-Encoding") or "").strip().lower())
    if wbits is None:
        return _plain(response, cap)
    return _unpacked(response, cap, wbits)


def _plain(response: HTTPResponse, cap: int) -> tuple[bytes, bool]:
    content = bytearray()
    while len(content) <= cap:
        chunk = response.read(min(CHUNK, cap + 1 - len(content)))
        if not chunk:
            _must_be_whole(response)
            return bytes(content), False
        content += chunk
        if response.length == 0:
            return bytes(content[:cap]), len(content) > cap
    return bytes(content[:cap]), True


def _unpacked(response: HTTPResponse, cap: int, wbits: int) -> tuple[bytes, bool]:
    content = bytearray()
    unpacker = None
    while chunk := response.read(CHUNK):
        if unpacker is None:
            # "deflate" should be zlib (RFC 9110 section 8.4.1.2); some send it bare.
            bare = wbits == ZLIB and chunk[0] & 0x0F != 8
            unpacker = zlib.decompressobj(-ZLIB if bare else wbits)
        while chunk:
            content += unpacker.decompress(chunk, cap + 1 - len(content))
            if len(content) > cap:
                return bytes(content[:cap]), True
            chunk = unpacker.unconsumed_tail
            if unpacker.eof and unpacker.unused_data:  # gzip may come in several members
                chunk, unpacker = unpacker.unused_data, zlib.decompressobj(wbits)
    _must_be_whole(response)
    if unpacker is not None and not unpacker.eof:
        raise IncompleteRead(bytes(content))
    return bytes(content), False


def _must_be_whole(response: HTTPResponse) -> None:
    # The standard library is silent when a body of known length ends early.
    if response.length:
        raise IncompleteRead(b"", response.length)
