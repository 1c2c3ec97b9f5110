"""The one way out over HTTP."""

from webapp.outbound.client import (
    KIB,
    MIB,
    Outbound,
    OutboundFailed,
    OutboundRefused,
    OutboundTimedOut,
    Reply,
    Sender,
)
from webapp.outbound.part import Part, no_sign_of_life, patience

__all__ = [
    "KIB",
    "MIB",
    "Outbound",
    "OutboundFailed",
    "OutboundRefused",
    "OutboundTimedOut",
    "Part",
    "Reply",
    "Sender",
    "no_sign_of_life",
    "patience",
]
