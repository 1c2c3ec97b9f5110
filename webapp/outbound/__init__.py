"""The one way out over HTTP."""

from webapp.outbound.client import KIB, MIB, Outbound, OutboundFailed, OutboundTimedOut, Reply

__all__ = [
    "KIB",
    "MIB",
    "Outbound",
    "OutboundFailed",
    "OutboundTimedOut",
    "Reply",
]
