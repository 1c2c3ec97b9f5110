"""SO-13: what a sign-out cannot take back, and that the documents say so."""

from pathlib import Path

from infra.functions.api.handler import Backend
from infra.functions.api.id_token import LEEWAY_SECONDS, IdTokenVerifier
from infra.functions.api.keys import SigningKeys
from tests.rig import Rig
from tests.security.outcomes import is_anonymous
from tests.unit.infra.events import amr_of, iam_event

EXPLAINED = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "security.md"


def test_SO_13_a_captured_id_token_lives_until_its_end(rig: Rig) -> None:
    """After sign-out everywhere the backend takes a captured ID token until `exp`, no longer."""
    browser = rig.signed_in("admin")
    session = rig.services.vault.open(browser.cookies["portico"])
    assert session
    assert session.record.tokens
    assert session.record.person
    captured, issuer = session.record.tokens.id_token, rig.cognito.issuer
    ends = session.record.tokens.expires_at
    backend = Backend(
        IdTokenVerifier(
            issuer=issuer.issuer,
            client_id=issuer.pool.client.client_id,
            keys=SigningKeys(f"{issuer.issuer}/.well-known/jwks.json"),
            now=rig.clock,
        )
    )
    provider = issuer.issuer.removeprefix("https://")
    event = iam_event(
        "GET /secure", token=captured, amr=amr_of(session.record.person.subject, provider)
    )
    browser.sign_out("everywhere")
    assert is_anonymous(rig, browser)
    assert all(occasion.revoked for occasion in issuer.pool.occasions)
    rig.clock.advance(ends - rig.clock() - 1)
    assert backend.answer(event)["statusCode"] == 200
    rig.clock.advance(LEEWAY_SECONDS + 2)
    assert backend.answer(event)["statusCode"] == 401


def test_SO_13_the_documents_say_so() -> None:
    """Whoever reads what a sign-out does not end finds the token's life, and what to set it to."""
    text = " ".join(EXPLAINED.read_text().split())
    assert "stay good until they end, also after a sign-out" in text
    assert "15 minutes or less" in text
    assert "id_token_minutes" in text
