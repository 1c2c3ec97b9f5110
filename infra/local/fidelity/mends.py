"""All mends, in the order in which they go on."""

from infra.local.asgi import Layer
from infra.local.fidelity import (
    claims,
    clients,
    groups,
    identity_pool,
    refresh,
    revocation,
    signed_routes,
    triggers,
    workers,
)
from infra.local.fidelity.ledger import Ledger
from infra.local.fidelity.upstream import Upstream


def mend_all(upstream: Upstream, ledger: Ledger) -> tuple[Layer, ...]:
    """Wrap the pinned release in process and return the layers that go before it."""
    clients.mend(upstream)
    groups.mend(upstream)
    claims.mend(upstream, ledger)
    refresh.mend(upstream, ledger)
    revocation_layer = revocation.layer(upstream)
    revocation.mend(upstream)
    identity_pool.mend(upstream)
    signed_routes.mend(upstream)
    triggers.mend(upstream)
    workers.mend(upstream)
    return (revocation_layer,)
