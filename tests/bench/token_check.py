"""The full check of an ID token, by Portico's own verifier, in microseconds of CPU."""

import statistics
import time
from typing import cast

from joserfc.jwk import RSAKey

from tests.bench.provider_tokens import Client, Mint
from webapp.managed_login.keys import SigningKeys
from webapp.managed_login.tokens import TokenVerifier

BATCHES, CHECKS = 7, 400


class KeptKeys:
    """The key set after its first fetch."""

    def __init__(self, mint: Mint) -> None:
        self._keys = {jwk["kid"]: RSAKey.import_key(jwk) for jwk in mint.key_set["keys"]}

    def get(self, kid: str) -> RSAKey:
        """The key of that id."""
        return self._keys[kid]


def token_check() -> float:
    """The median of a few batches, in microseconds a check (nonce and at_hash with it)."""
    client = Client("https://127.0.0.1/us-east-1_BenchPool", "benchclient", "secret")
    mint = Mint(client)
    keys = cast("SigningKeys", KeptKeys(mint))
    verifier = TokenVerifier(keys, client.issuer, client.client_id)
    tokens = mint.tokens(0, "nonce")
    taken = []
    for _ in range(BATCHES):
        began = time.process_time()
        for _ in range(CHECKS):
            verifier.id_token(
                tokens["id_token"], access_token=tokens["access_token"], nonce="nonce"
            )
        taken.append((time.process_time() - began) / CHECKS * 1e6)
    return statistics.median(taken)
