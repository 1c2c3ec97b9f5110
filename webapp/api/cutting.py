"""Cuts what was secret in a request out of its answer: many an API sends back what it was sent."""

import re
from collections.abc import Iterable
from dataclasses import replace

from webapp.outbound import Reply

CUT = "(cut)"
SHORTEST = 8
_RUN = re.compile(r"[A-Za-z0-9]+")


def without(reply: Reply, secrets: Iterable[str]) -> Reply:
    """The answer with `(cut)` in place of every occurrence of a secret.

    Found as it was sent and in the spellings of JSON and of addresses, in body, headers and reason.
    """
    for secret in secrets:
        # Cheap to rule out first: letters and digits are the same in every spelling.
        run = max(_RUN.findall(secret[:64]), key=len, default="")
        if len(secret) >= SHORTEST and (reply.cut or _holds(reply, run)):
            reply = _cleaned(reply, secret)
    return reply


def _holds(reply: Reply, run: str) -> bool:
    if run.encode() in reply.body or run in reply.reason:
        return True
    return any(run in value or run in name for name, value in reply.headers)


def _cleaned(reply: Reply, secret: str) -> Reply:
    spelt = "".join(map(_spelling, secret))
    if not secret[0].isalnum():  # or each backslash of a long run would read the rest of it
        spelt = r"(?<!\\)" + spelt
    text, raw = re.compile(spelt), re.compile(spelt.encode())
    body = raw.sub(CUT.encode(), reply.body)
    return replace(
        reply,
        reason=text.sub(CUT, reply.reason),
        headers=tuple((text.sub(CUT, name), text.sub(CUT, value)) for name, value in reply.headers),
        body=_without_beginning(body, secret.encode()) if reply.cut else body,
    )


def _spelling(char: str) -> str:
    if char.isascii() and char.isalnum():
        return char
    code = f"{ord(char):02x}"
    either = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in code)
    return rf"\\*+(?:{re.escape(char)}|u00{either}|%{either})"


def _without_beginning(body: bytes, secret: bytes) -> bytes:
    # Where we stopped reading, a secret may have begun.
    for length in range(min(len(secret), len(body)), SHORTEST - 1, -1):
        if body.endswith(secret[:length]):
            return body[:-length] + CUT.encode()
    return body
