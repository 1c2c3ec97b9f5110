"""What a call of the user pool that came to nothing is told as."""

from webapp.errors import ProviderUnavailable
from webapp.outbound import OutboundFailed, Reply, patience


def unreached(sentence: str, error: Exception) -> ProviderUnavailable:
    """For no answer, or none that makes sense."""
    if isinstance(error, OutboundFailed):
        reason = str(error.facts.get("reason", error.code))
        return ProviderUnavailable(sentence, reason=reason, retry_after=error.retry_after)
    return ProviderUnavailable(sentence, reason=type(error).__name__)


def out_of_order(sentence: str, reply: Reply) -> ProviderUnavailable:
    """For an answer that is no success; its own Retry-After counts (RFC 9110 section 10.2.3)."""
    wait = patience(reply)
    if wait is None:
        return ProviderUnavailable(sentence, upstream=reply.status)
    return ProviderUnavailable(sentence, upstream=reply.status, retry_after=wait)
