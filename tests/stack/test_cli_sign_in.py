"""`token` against the offline AWS: by password in both flows, by SRP with pycognito, by code."""

import json
import sys
import time
from importlib.machinery import ModuleSpec
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.doubles import Browser
from tests.stack.command_line import CommandLine, changed_client
from tests.stack.login_site import totp
from tests.stack.offline import OfflineAws, User
from tests.stack.world import claims_of, error_code
from webapp.cli.by_code import PORT
from webapp.cli.house import House
from webapp.cli.sign_in import Way, signed_in
from webapp.cli.workshop import workshop
from webapp.settings import Settings

ADMIN = "admin@example.com"


def _token(commands: CommandLine, user: User, *words: str) -> Any:
    given = ("token", "--user", user.email, "--password-stdin", *words)
    return commands.run(*given, stdin=user.password + "\n")


@pytest.mark.parametrize("way", [(), ("--srp",)])
def test_a_sign_in_shows_claims_and_no_token(
    command_line: CommandLine, offline_aws: OfflineAws, way: tuple[str, ...]
) -> None:
    """Claims and lifetimes of both verified tokens; no token, by eye or as JSON."""
    user = offline_aws.demo_user(ADMIN)
    told = _token(command_line, user, *way, "--json")
    content = told.json
    assert (told.status, content["verified"], content["groups"]) == (0, True, ["Admin"])
    assert content["id"]["claims"]["token_use"] == "id"
    assert content["access"]["claims"]["token_use"] == "access"
    assert content["id"]["expires_at"] > time.time()
    assert content["refresh"] == {"granted": True, "revoked": True}
    by_eye = _token(command_line, user, *way)
    assert "cognito:preferred_role" in by_eye.out
    for text in (told.out, told.err, by_eye.out, by_eye.err):
        assert "eyJ" not in text
        assert user.password not in text


@pytest.mark.parametrize("kind", ["id", "access", "refresh"])
def test_a_raw_token_alone(command_line: CommandLine, offline_aws: OfflineAws, kind: str) -> None:
    """--raw prints the token that was asked for and nothing else, for a pipe."""
    told = _token(command_line, offline_aws.demo_user(ADMIN), "--raw", kind)
    assert told.out.count("\n") == 1
    token = told.out.strip()
    assert token.count(".") >= 2
    if kind != "refresh":
        assert claims_of(token)["token_use"] == kind
    assert token not in told.err


def test_what_was_granted_is_revoked(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """The family of tokens dies with the command that asked for it, unless it is to be kept."""
    user, public = offline_aws.demo_user(ADMIN), offline_aws.aws.public("cognito-idp")
    house = House(lambda: Settings.load(command_line.settings))
    file = command_line.folder / "admin-password"
    file.write_text(user.password)
    way = Way(
        user=user.email,
        srp=False,
        code=False,
        port=8400,
        browser=False,
        password_stdin=False,
        password_file=file,
    )
    for keep, after in ((True, ""), (False, "NotAuthorizedException")):
        with workshop(house) as rooms, signed_in(house, rooms, keep=keep, **way) as found:
            access = found.tokens.access_token
            assert error_code(public.get_user, AccessToken=access) == ""
        assert error_code(public.get_user, AccessToken=access) == after


@pytest.mark.parametrize("way", [(), ("--srp",)])
def test_who_may_not_sign_in(
    command_line: CommandLine, offline_aws: OfflineAws, way: tuple[str, ...]
) -> None:
    """A wrong password, a stranger, a disabled person and a first password are told apart."""
    user = offline_aws.new_user()
    idp = offline_aws.aws.client("cognito-idp")

    def refused(email: str, password: str) -> str:
        told = _token(command_line, User(email, password), *way, "--json")
        assert (told.status, told.out) == (5, "")
        return str(told.error)

    assert refused(user.email, "Wrong-password-1") == "password_refused"
    assert refused("stranger@example.com", user.password) == "password_refused"
    first = offline_aws.new_user(temporary=True)
    assert refused(first.email, first.password) == "new_password_required"
    idp.admin_disable_user(UserPoolId=offline_aws.pool_id, Username=user.email)
    assert refused(user.email, user.password) == "disabled"


def test_the_flow_that_the_client_allows(
    command_line: CommandLine, offline_aws: OfflineAws
) -> None:
    """The public password flow serves where it is allowed, else the admin's; else it is said."""
    user, idp = offline_aws.demo_user(ADMIN), offline_aws.aws.client("cognito-idp")
    client_id = offline_aws.environment["COGNITO_CLIENT_ID"]
    flows = {"USER": "ALLOW_USER_PASSWORD_AUTH", "SRP": "ALLOW_USER_SRP_AUTH"}
    with changed_client(idp, offline_aws.pool_id, client_id, ExplicitAuthFlows=[flows["USER"]]):
        assert _token(command_line, user).status == 0
        assert _token(command_line, user, "--srp", "--json").status == 5
    with changed_client(idp, offline_aws.pool_id, client_id, ExplicitAuthFlows=[flows["SRP"]]):
        neither = _token(command_line, user)
        assert (neither.status, "--srp or --code" in neither.err) == (5, True)
        assert _token(command_line, user, "--srp").status == 0


def test_without_pycognito(
    command_line: CommandLine, offline_aws: OfflineAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SRP without the library says what to install."""

    class Absent:
        """Finds nothing of pycognito's."""

        def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
            if name.startswith("pycognito"):
                raise ModuleNotFoundError(name)
            return None

    for name in [one for one in sys.modules if one.startswith("pycognito")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    told = _token(command_line, offline_aws.demo_user(ADMIN), "--srp")
    assert (told.status, "pip install" in told.err) == (5, True)


def test_a_wrong_client_secret(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """A client secret that is not the client's is told as that, and not as a wrong password."""
    user = offline_aws.demo_user(ADMIN)
    words = ("token", "--user", user.email, "--password-stdin", "--json")
    told = command_line.run(*words, stdin=user.password, COGNITO_CLIENT_SECRET="another")
    assert (told.status, told.error) == (5, "client_secret")


def test_a_token_of_another_issuer(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """Tokens are verified before anything of them is shown."""
    user = offline_aws.demo_user(ADMIN)
    words = ("token", "--user", user.email, "--password-stdin", "--json")
    told = command_line.run(*words, stdin=user.password, COGNITO_ISSUER="https://issuer.example/x")
    assert (told.status, told.out) in ((5, ""), (3, ""))


def test_a_second_factor_at_a_terminal(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """Password and code are asked for one after the other; neither is shown."""
    user = offline_aws.new_user()
    public = offline_aws.aws.public("cognito-idp")
    access = _token(command_line, user, "--raw", "access").out.strip()
    secret = public.associate_software_token(AccessToken=access)["SecretCode"]
    public.verify_software_token(AccessToken=access, UserCode=totp(secret))
    public.set_user_mfa_preference(
        AccessToken=access, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    with command_line.terminal("token", "--user", user.email, "--srp") as terminal:
        terminal.see(f"Password of {user.email}:")
        terminal.type(user.password)
        terminal.see("Code of the authenticator app:")
        terminal.type(totp(secret))
        assert terminal.end() == 0, terminal.text
    assert user.password not in terminal.shown
    assert "CLAIM" in terminal.text


def test_the_code_flow_over_loopback(command_line: CommandLine, offline_aws: OfflineAws) -> None:
    """The address is printed, a browser signs in at it, and the redirect comes home (RFC 8252)."""
    user, idp = offline_aws.demo_user("viewer@example.com"), offline_aws.aws.client("cognito-idp")
    port = 18_400
    callback = f"http://127.0.0.1:{port}/callback"
    client_id = offline_aws.environment["COGNITO_CLIENT_ID"]
    registered = [f"{offline_aws.environment['APP_BASE_URL']}/callback", callback]
    with changed_client(idp, offline_aws.pool_id, client_id, CallbackURLs=registered):
        words = ("token", "--code", "--no-browser", "--port", str(port), "--user", user.email)
        process = command_line.start(*words, "--json")
        assert process.stderr is not None
        said = [process.stderr.readline() for _ in range(3)]
        assert callback in said[0]
        address = urlsplit(said[2].strip())
        query = dict(parse_qsl(address.query))
        assert (query["redirect_uri"], query["code_challenge_method"]) == (callback, "S256")
        assert query["login_hint"] == user.email
        browser = Browser.over_http(offline_aws.endpoint)
        page = browser.follow(browser.get(f"{address.path}?{address.query}", site="cross-site"))
        form = page.page.form("/login")
        answer = browser.post(
            form.action, {**form.fields, "username": user.email, "password": user.password}
        )
        assert answer.location.startswith(callback + "?")
        assert requests.get(answer.location, timeout=20).status_code == 200
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    content = json.loads(out)
    assert content["id"]["claims"]["nonce"] == query["nonce"]
    assert content["email"] == user.email
    assert "eyJ" not in out + err


def test_the_offline_client_knows_the_way_back(offline_aws: OfflineAws) -> None:
    """The demonstration needs no registering: the usual callback of --code is the client's."""
    assert f"http://127.0.0.1:{PORT}/callback" in offline_aws.stack.demo.callbacks


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("token",), "--user"),
        (("token", "--code", "--srp"), "--srp"),
        (("token", "--code", "--password-stdin"), "no password"),
        (("token", "--user", "x", "--password", "y"), "No such option"),
        (("token", "--user", "x"), "--password-stdin"),
    ],
)
def test_wrong_words(command_line: CommandLine, words: tuple[str, ...], said: str) -> None:
    """What does not fit together is a usage error; there is no argument for a password."""
    told = command_line.run(*words)
    assert (told.status, said in told.err) == (2, True), told.err
