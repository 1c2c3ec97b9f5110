"""TK-02 to TK-06, TK-13, TK-14, TK-16: claims that a good signature does not make good."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.doubles import forge
from tests.doubles.mint import Change, Draft
from tests.rig import Rig, rigged
from tests.security.outcomes import Watch
from tests.security.signing_in import arrive, assert_accepted, assert_refused

Claims = dict[str, Any]


class _Gone:
    def __repr__(self) -> str:
        return "missing"


GONE = _Gone()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One rig for the many small cases of this module."""
    with rigged(tmp_path_factory.mktemp("claims"), client_secret="s3cret") as made:
        yield made


@pytest.fixture
def rig(one: Rig) -> Iterator[Rig]:
    """The rig of the module, without the faults of the test before."""
    yield one
    one.cognito.heal()


def _set(claims: Claims, name: str, value: object) -> None:
    if value is GONE:
        claims.pop(name, None)
    else:
        claims[name] = value


def _setting(name: str, value: object) -> Change:
    return lambda _, claims: _set(claims, name, value)


def _in_both(rig: Rig, name: str, value: object, check: str) -> None:
    """The claim is falsified in the ID token alone, then in the access token alone."""
    mint = rig.cognito.issuer.mint
    for hooks in (mint.id_token, mint.access_token):
        hooks(_setting(name, value), times=1)
        assert_refused(rig, check)


@pytest.mark.parametrize(
    "change",
    [
        lambda iss: "https://evil.example",
        lambda iss: GONE,
        lambda iss: iss + "/",
        lambda iss: iss[:-1],
        lambda iss: iss + "0",
        lambda iss: iss.partition("_")[0],
        lambda iss: iss.upper(),
        lambda iss: [iss],
        lambda iss: "",
        lambda iss: None,
    ],
    ids=["foreign", "none", "slash", "prefix", "longer", "half", "case", "list", "empty", "null"],
)
def test_TK_02_wrong_issuer(rig: Rig, change: Callable[[str], object]) -> None:
    """Only the configured issuer, byte for byte, is believed, in both tokens."""
    _in_both(rig, "iss", change(rig.cognito.issuer.issuer), "iss")


@pytest.mark.parametrize(
    "audience",
    ["another-client", GONE, "", None, [], ["another-client"], 0, {"a": 1}, True],
    ids=repr,
)
def test_TK_03_wrong_audience(rig: Rig, audience: object) -> None:
    """An ID token for anybody else, or for nobody, is refused."""
    rig.cognito.issuer.mint.id_token(_setting("aud", audience))
    assert_refused(rig, "aud")


def test_TK_03_stranger_beside_us(rig: Rig) -> None:
    """An audience that names a stranger beside us, or us twice, is refused."""
    ours = rig.cognito.issuer.pool.client.client_id
    for audience in ([ours, "stranger"], ["stranger", ours], [ours, ours], [[ours]], f"{ours} x"):
        rig.cognito.issuer.mint.id_token(_setting("aud", audience), times=1)
        assert_refused(rig, "aud")


def test_TK_03_list_of_one(rig: Rig) -> None:
    """An audience that is a list with our client alone is accepted."""
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update(aud=[claims["aud"]]))
    assert_accepted(rig)


@pytest.mark.parametrize("value", ["another-client", GONE, "", None, ["list"]], ids=repr)
def test_TK_03_access_token_of_another_client(rig: Rig, value: object) -> None:
    """An access token given to another client is refused."""
    rig.cognito.issuer.mint.access_token(_setting("client_id", value))
    assert_refused(rig, "client_id")


@pytest.mark.parametrize("value", [GONE, 7, "", "s" * 256, None, ["a"], {}, True], ids=repr)
def test_TK_04_bad_subject(rig: Rig, value: object) -> None:
    """A subject that is missing, no text, empty or too long is refused, in both tokens."""
    _in_both(rig, "sub", value, "sub")


def test_TK_04_subject_of_another_person(rig: Rig) -> None:
    """Two good tokens of two people make no session."""
    rig.cognito.issuer.mint.access_token(lambda _, claims: claims.update(sub="somebody-else"))
    assert_refused(rig, "sub")


@pytest.mark.parametrize(
    "value", [GONE, "1999999999", 1e300, -1, 0, True, None, [1], {}, "", 10**40, 1e11], ids=repr
)
@pytest.mark.parametrize("name", ["exp", "iat"])
def test_TK_05_times_that_are_none(rig: Rig, name: str, value: object) -> None:
    """A time that is missing or no sensible number is refused, never a crash."""
    _in_both(rig, name, value, name)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
def test_TK_05_numbers_that_json_does_not_have(rig: Rig, name: str, literal: str) -> None:
    """NaN, infinities and numbers without end are refused wherever they stand."""

    def write(draft: Draft) -> str:
        text = json.dumps(draft.claims | {name: "@"}).replace('"@"', literal)
        return forge.payload(text.encode())(draft)

    rig.cognito.issuer.mint.id_token.write(write)
    assert_refused(rig, "claims")


@pytest.mark.parametrize(
    ("name", "seconds", "check"), [("exp", -61, "exp"), ("nbf", 120, "nbf"), ("iat", 120, "iat")]
)
def test_TK_05_outside_its_time(rig: Rig, name: str, seconds: int, check: str) -> None:
    """A token that has ended, has not begun or comes from the future is refused."""
    _in_both(rig, name, int(rig.clock()) + seconds, check)


@pytest.mark.parametrize("value", ["soon", None, [], 1e300, -5, False], ids=repr)
def test_TK_05_not_before_that_is_no_time(rig: Rig, value: object) -> None:
    """A `nbf` that is there must be a time."""
    _in_both(rig, "nbf", value, "nbf")


@pytest.mark.parametrize("value", [1e300, -1e300, 10**400, 0.5, -1, "x", None, []], ids=type)
def test_TK_05_odd_times_that_nobody_checks_break_no_page(rig: Rig, value: object) -> None:
    """A time claim that decides nothing may hold anything: the person's pages still come."""
    for hooks in (rig.cognito.issuer.mint.id_token, rig.cognito.issuer.mint.access_token):
        hooks(lambda _, claims: claims.update(auth_time=value))
    browser = assert_accepted(rig)
    assert browser.get("/session").status == 200


@pytest.mark.parametrize("value", ["wrong", GONE, "", None, 5, ["n"], "\ud800", "é"], ids=ascii)
def test_TK_06_wrong_nonce(rig: Rig, value: object) -> None:
    """An ID token without this sign-in's own nonce is refused."""
    rig.cognito.issuer.mint.id_token(_setting("nonce", value))
    assert_refused(rig, "claims" if value == "\ud800" else "nonce")


def test_TK_06_nonce_of_another_sign_in(rig: Rig) -> None:
    """The nonce of another sign-in of the same browser is refused, even a living one."""
    seen: list[str] = []
    mint = rig.cognito.issuer.mint
    mint.id_token(lambda _, claims: seen.append(claims["nonce"]), times=1)
    browser = rig.browser()
    arrive(rig, browser)
    watch = Watch(rig)
    mint.id_token(lambda _, claims: claims.update(nonce=seen[0]), times=1)
    response = arrive(rig, browser)
    assert watch.denied(response, hidden=seen, token_requests=1) == "token_refused"
    assert watch.events("refused")[0]["check"] == "nonce"


def test_TK_13_tokens_swapped(rig: Rig) -> None:
    """An access token in the ID token's place is refused, and the reverse."""
    token = rig.cognito.issuer.token
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.pop("at_hash"))
    token.once.alter(lambda body: body.update(id_token=body["access_token"]))
    assert_refused(rig, "token_use")
    token.once.alter(lambda body: body.update(access_token=body["id_token"]))
    assert_refused(rig, "token_use")
    token.once.alter(
        lambda body: body.update(id_token=body["access_token"], access_token=body["id_token"])
    )
    assert_refused(rig, "token_use")


@pytest.mark.parametrize("value", [GONE, "refresh", "", None, "ID", ["id"]], ids=repr)
def test_TK_13_use_of_another_kind(rig: Rig, value: object) -> None:
    """A token must say what it is for."""
    _in_both(rig, "token_use", value, "token_use")


@pytest.mark.parametrize("value", ["another-client", "", None, 1, []], ids=repr)
def test_TK_14_foreign_authorized_party(rig: Rig, value: object) -> None:
    """An ID token that was given to another party is refused."""
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update(azp=value))
    assert_refused(rig, "azp")


def test_TK_14_own_authorized_party(rig: Rig) -> None:
    """An ID token that names us as its party is accepted."""
    rig.cognito.issuer.mint.id_token(lambda _, claims: claims.update(azp=claims["aud"]))
    assert_accepted(rig)
