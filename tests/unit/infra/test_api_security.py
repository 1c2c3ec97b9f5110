"""The backend's rows of the fault catalogue (LM), by direct invocation with real keys."""

import json
import logging
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import OctKey, RSAKey

from infra.functions.api.handler import Backend
from infra.functions.api.id_token import IdTokenVerifier
from infra.functions.api.keys import (
    MAX_AGE_SECONDS,
    REFETCH_SECONDS,
    RETRY_SECONDS,
    SigningKeys,
)
from tests.unit.infra.conftest import Clock
from tests.unit.infra.events import GUEST_AMR, amr_of, iam_event
from tests.unit.infra.pool import CLIENT_ID, ISSUER, NOW, OTHER_SUB, SUB, UserPool, segment

UNAUTHORIZED = {"message": "Unauthorized", "request_id": "JKJaXmPLvHcESHA="}


def ask(backend: Backend, token: str | None, **rest: Any) -> tuple[int, Any]:
    """Return status and body of /secure, called by SUB with this token."""
    answer = backend.answer(iam_event("GET /secure", token=token, **rest))
    return answer["statusCode"], json.loads(answer["body"])


def test_LM_01_a_missing_or_empty_header_is_401_without_detail(backend: Backend) -> None:
    """No token and an empty one are refused with the same bare words."""
    assert ask(backend, None) == (401, UNAUTHORIZED)
    assert ask(backend, "") == (401, UNAUTHORIZED)


def test_LM_01_a_header_sent_twice_is_401(backend: Backend, pool: UserPool) -> None:
    """API Gateway joins repeats by a comma; neither of the two is believed."""
    good = pool.token()
    assert ask(backend, f"{good},{good}") == (401, UNAUTHORIZED)
    assert ask(backend, f"{good}, {pool.token(sub=OTHER_SUB)}") == (401, UNAUTHORIZED)


@pytest.mark.parametrize("name", ["X-Cognito-Id-Token", "x-cognito-ID-token"])
def test_LM_01_a_header_in_mixed_case_is_401(backend: Backend, pool: UserPool, name: str) -> None:
    """A spelling that API Gateway never hands on is refused, alone or beside the real one."""
    headers = {name: pool.token()}
    assert ask(backend, None, headers=headers) == (401, UNAUTHORIZED)
    assert ask(backend, pool.token(), headers=headers) == (401, UNAUTHORIZED)
    answer = backend.answer(iam_event("GET /test/public", amr=GUEST_AMR, headers=headers))
    assert answer["statusCode"] == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 3600},
        {"nbf": NOW + 3600},
        {"iat": NOW + 3600},
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other0000"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"token_use": "access", "aud": None, "client_id": CLIENT_ID},
        {"token_use": "access"},
        {"token_use": None},
        {"iss": None},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": "later"},
    ],
)
def test_LM_02_a_token_for_another_time_or_use_is_401(
    backend: Backend, pool: UserPool, changes: dict[str, Any]
) -> None:
    """Times, issuer, audience, use and subject must all be there and right."""
    assert ask(backend, pool.token(**changes)) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("payload", [b'{"exp": 1e999}', b"[]", b"7", b"\xff\xfe", b"[" * 5000])
def test_LM_02_a_signed_payload_that_is_no_claims_set_is_401(
    backend: Backend, pool: UserPool, payload: bytes
) -> None:
    """Even the right key does not make rubbish a token."""
    assert ask(backend, pool.token(payload=payload)) == (401, UNAUTHORIZED)


def test_LM_03_an_unsigned_token_is_401(backend: Backend, pool: UserPool) -> None:
    """The algorithm `none` is refused with and without a signature part."""
    unsigned = f"{segment({'alg': 'none', 'kid': 'key-1'})}.{segment(pool.claims())}"
    assert ask(backend, f"{unsigned}.") == (401, UNAUTHORIZED)
    assert ask(backend, f"{unsigned}.{segment(b'x')}") == (401, UNAUTHORIZED)


def test_LM_03_a_token_signed_with_the_public_key_as_a_secret_is_401(
    backend: Backend, pool: UserPool
) -> None:
    """HS256 over the published key is refused."""
    pem = OctKey.import_key(pool.key.as_pem(private=False).replace(b"-", b"_"))
    token = pool.token(header={"alg": "HS256"}, key=pem)
    assert ask(backend, token) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "cty"])
def test_LM_03_a_header_that_brings_its_own_trust_is_401(
    backend: Backend, pool: UserPool, name: str
) -> None:
    """A foreign header parameter is refused though the signature is good."""
    values: dict[str, Any] = {
        "jwk": pool.key.as_dict(private=False),
        "jku": pool.jwks_url,
        "x5u": pool.jwks_url,
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": True,
    }
    header = {"alg": "RS256", "kid": "key-1"}
    assert ask(backend, pool.token_with_header(header))[0] == 200
    spoiled = pool.token_with_header({**header, name: values.get(name, "JWT")})
    assert ask(backend, spoiled) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "rs256", "", None, ["RS256"]])
def test_LM_03_another_algorithm_is_401(
    backend: Backend, pool: UserPool, algorithm: object
) -> None:
    """RS256 by its exact name and nothing else, whatever the key could do."""
    token = pool.token_with_header({"alg": algorithm, "kid": "key-1"})
    assert ask(backend, token) == (401, UNAUTHORIZED)


def test_LM_03_a_token_of_an_attackers_key_is_401(backend: Backend, pool: UserPool) -> None:
    """Another key under a known `kid`, and a key without a `kid`, are refused."""
    own = RSAKey.generate_key(2048)
    assert ask(backend, pool.token(key=own)) == (401, UNAUTHORIZED)
    assert ask(backend, pool.token(key=own, header={"kid": ""})) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    "issuer", [ISSUER[:-1], f"{ISSUER}x", f"{ISSUER}/", ISSUER.upper(), ISSUER.split("/")[-1]]
)
def test_LM_03_a_partial_issuer_is_401(backend: Backend, pool: UserPool, issuer: str) -> None:
    """The issuer is compared whole."""
    assert ask(backend, pool.token(iss=issuer)) == (401, UNAUTHORIZED)


def test_LM_04_a_token_of_another_person_is_403(backend: Backend, pool: UserPool) -> None:
    """A's credentials with B's valid token open nothing, either way round."""
    assert ask(backend, pool.token(sub=OTHER_SUB))[0] == 403
    assert ask(backend, pool.token(), amr=amr_of(OTHER_SUB))[0] == 403


@pytest.mark.parametrize("route", ["GET /test/public", "GET /test/auth", "GET /secure", "GET /vip"])
def test_LM_05_a_guest_with_somebodys_token_is_403(
    backend: Backend, pool: UserPool, route: str
) -> None:
    """Guest credentials stay a guest's, whoever's token comes along."""
    event = iam_event(route, token=pool.token(), amr=GUEST_AMR, role="portico-guest")
    assert backend.answer(event)["statusCode"] == 403


@pytest.mark.parametrize("route", ["GET /test/auth", "GET /secure", "GET /vip", "GET /whoami"])
def test_LM_05_a_guest_whom_a_lax_policy_let_in_is_403(backend: Backend, route: str) -> None:
    """Where a person is asked for, a guest is refused even if IAM was not strict enough."""
    event = iam_event(route, amr=GUEST_AMR, role="portico-guest")
    assert backend.answer(event)["statusCode"] == 403


def test_LM_05_a_sign_in_without_the_word_authenticated_is_403(
    backend: Backend, pool: UserPool
) -> None:
    """A context that names a person but not how he came in proves nobody."""
    assert ask(backend, pool.token(), amr=amr_of(SUB)[1:])[0] == 403
    assert ask(backend, pool.token(), amr=[*GUEST_AMR, *amr_of(SUB)[1:]])[0] == 403


def test_LM_06_a_storm_of_unknown_key_ids_costs_one_fetch(
    backend: Backend, pool: UserPool, ticks: Clock
) -> None:
    """Invented ids are 401 from the negative cache; a real new key is found a minute later."""
    assert ask(backend, pool.token())[0] == 200
    for number in range(200):
        assert ask(backend, pool.token(header={"kid": f"made-up-{number}"}))[0] == 401
    assert pool.fetches == 1
    rotated = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})
    pool.published.append(rotated)
    ticks.at += REFETCH_SECONDS + 1
    assert ask(backend, pool.token(header={"kid": "key-2"}, key=rotated))[0] == 200
    assert pool.fetches == 2


@pytest.mark.parametrize("status", [302, 404, 500])
def test_LM_06_no_key_set_on_a_cold_start_is_503(
    backend: Backend, pool: UserPool, ticks: Clock, status: int
) -> None:
    """Without keys nobody comes in; the next try waits a little and then succeeds."""
    pool.status = status
    assert ask(backend, pool.token())[0] == 503
    assert ask(backend, pool.token())[0] == 503
    assert pool.fetches == 1
    pool.status = 200
    ticks.at += RETRY_SECONDS + 1
    assert ask(backend, pool.token())[0] == 200


def test_LM_06_a_dead_key_server_on_a_cold_start_is_503(pool: UserPool) -> None:
    """A refused connection is 503 as well."""
    keys = SigningKeys("http://127.0.0.1:1/jwks.json")
    backend = Backend(IdTokenVerifier(issuer=ISSUER, client_id=CLIENT_ID, keys=keys))
    assert ask(backend, pool.token())[0] == 503


@pytest.mark.parametrize(
    "document", [None, [], {}, {"keys": []}, {"keys": [{"kty": "oct", "kid": "key-1", "k": "AA"}]}]
)
def test_LM_06_a_key_set_without_a_usable_key_is_503(pool: UserPool, document: object) -> None:
    """An answer that holds no RSA key is as good as none."""
    keys = SigningKeys("unused", fetch=lambda url: document)
    backend = Backend(IdTokenVerifier(issuer=ISSUER, client_id=CLIENT_ID, keys=keys))
    assert ask(backend, pool.token())[0] == 503


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # small on purpose
def test_LM_06_a_key_of_1024_bits_is_no_key(pool: UserPool) -> None:
    """A published key below 2048 bits is passed over (RFC 7518 section 3.3)."""
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the point
    key = RSAKey.import_key(small, {"kid": "key-1"})
    document = {"keys": [key.as_dict(private=False)]}
    keys = SigningKeys("unused", fetch=lambda url: document)
    backend = Backend(IdTokenVerifier(issuer=ISSUER, client_id=CLIENT_ID, keys=keys))
    assert ask(backend, pool.token(key=key))[0] == 503


def test_LM_06_keys_in_hand_outlive_an_outage(
    backend: Backend, pool: UserPool, ticks: Clock
) -> None:
    """Known keys go on working while the key server is away, unknown ones are 503."""
    assert ask(backend, pool.token())[0] == 200
    pool.status = 500
    ticks.at += MAX_AGE_SECONDS + 1
    assert ask(backend, pool.token())[0] == 200
    assert ask(backend, pool.token(header={"kid": "key-9"}))[0] == 503


def test_LM_06_a_key_that_was_taken_back_is_forgotten(
    backend: Backend, pool: UserPool, ticks: Clock
) -> None:
    """A key that is no longer published stops working when the set is read again."""
    assert ask(backend, pool.token())[0] == 200
    pool.published = [RSAKey.generate_key(2048, {"kid": "key-2"})]
    ticks.at += MAX_AGE_SECONDS + 1
    assert ask(backend, pool.token())[0] == 401


@pytest.mark.parametrize(
    "token",
    [
        "a" * 1_000_000,
        "a." * 500_000,
        ".".join(["a" * 400_000] * 3),
        segment({"alg": "RS256", "kid": "key-1"}) + "." + "a" * 1_000_000 + ".AA",
        "no-dots",
        "a.b",
        "a.b.c.d",
        "..",
        "!!.??.**",
        "eyJ=.e30=.AA==",
        "a.b.c\n",
        "Bearer a.b.c",
        "é.ü.ß",
        "\udcff.\udcfe.\udcfd",
        segment(b"\xff\xfe\xfd") + ".e30.AA",
        segment(b"[" * 300) + ".e30.AA",
        segment({"alg": "RS256", "kid": "k" * 600}) + ".e30.AA",
        segment({"alg": "RS256", "kid": 7}) + ".e30.AA",
        segment(["RS256"]) + ".e30.AA",
        "A.e30.AA",
    ],
)
def test_LM_07_rubbish_is_401_at_once(backend: Backend, pool: UserPool, token: str) -> None:
    """Size and alphabet are refused before anything is decoded and without asking for keys."""
    started = time.perf_counter()
    assert ask(backend, token) == (401, UNAUTHORIZED)
    assert time.perf_counter() - started < 0.05
    assert pool.fetches == 0


def test_LM_07_a_broken_signature_is_401(backend: Backend, pool: UserPool) -> None:
    """A token whose payload or signature was touched is refused."""
    header, payload, signature = pool.token().split(".")
    swapped = segment(pool.claims(email="other@example.com"))
    assert ask(backend, f"{header}.{swapped}.{signature}") == (401, UNAUTHORIZED)
    assert ask(backend, f"{header}.{payload}.{signature[:-8]}") == (401, UNAUTHORIZED)
    assert ask(backend, f"{header}.{payload}.A") == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("claim", "offset", "status"),
    [
        ("exp", -59, 200),
        ("exp", -61, 401),
        ("nbf", 59, 200),
        ("nbf", 61, 401),
        ("iat", 59, 200),
        ("iat", 61, 401),
    ],
)
def test_LM_08_clocks_may_differ_by_a_minute(
    backend: Backend, pool: UserPool, claim: str, offset: int, status: int
) -> None:
    """Sixty seconds of skew are forgiven and not one more."""
    changes: dict[str, Any] = {claim: NOW + offset}
    assert ask(backend, pool.token(**changes))[0] == status


def test_LM_08_nothing_of_a_token_is_echoed_or_logged(
    backend: Backend, pool: UserPool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither answers nor log lines hold a part of any token, good or bad."""
    good, other = pool.token(), pool.token(sub=OTHER_SUB)
    broken = good[:-9] + "AAAAAAAAA"
    with caplog.at_level(logging.DEBUG):
        answers = [
            backend.answer(iam_event("GET /whoami", token=token))["body"]
            for token in (good, other, broken, pool.token(exp=1), "secret.secret.secret")
        ]
    assert len(caplog.records) >= 5
    seen = caplog.text + "".join(answers)
    for part in {*good.split("."), *other.split("."), *broken.split("."), "secret", OTHER_SUB}:
        assert part not in seen
