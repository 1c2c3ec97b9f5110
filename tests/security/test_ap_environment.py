"""AP-09, AP-13, AP-14: where calls go, whatever the environment says, and what goes with them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.cognito import Cognito
from tests.doubles.evil import EvilHost
from tests.doubles.message import Answer, Request
from tests.doubles.server import Handler, Server
from tests.doubles.tls import Authority
from tests.rig import Rig, rigged
from tests.security.signing_in import assert_accepted
from webapp.api.catalogue import endpoint_named
from webapp.api.client import ApiClient
from webapp.errors import ApiUnavailable, SettingsProblems
from webapp.outbound import Outbound
from webapp.records import AwsKeys, TokenSet
from webapp.settings import Settings

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
ID_TOKEN_HEADER = "X-Cognito-Id-Token"


def _whole_walk(rig: Rig) -> None:
    """Everything that makes the application go out."""
    browser = assert_accepted(rig)
    for endpoint, identity in (
        *(("test-plain", "nobody"), ("test-public", "guest"), ("secure", "user")),
        *(("protected", "bearer-access"), ("protected", "bearer-id"), ("vip", "user")),
    ):
        assert browser.call(endpoint, identity).status == 200
    assert browser.post("/session/userinfo", {"csrf_token": browser.csrf()}).status == 303
    assert browser.post("/session/refresh", {"csrf_token": browser.csrf()}).status == 303
    assert browser.sign_out("everywhere").status == 303


def test_AP_09_unknown_name(tmp_path: Path) -> None:
    """A host that no name server knows is 502, and the page does not name it."""
    with rigged(tmp_path, API_ENDPOINT="https://api.portico.invalid/prod") as rig:
        browser = rig.browser()
        answer = browser.call("test-plain", "nobody", json=False)
        assert answer.status == 502
        assert "portico.invalid" not in answer.text
        assert browser.call("test-plain", "nobody").json()["error"] == "api_unavailable"


def test_AP_13_proxies_and_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and passwords that stand in the environment change nothing."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login mallory password from-netrc\n")
    with EvilHost() as evil:
        for name in PROXIES:
            monkeypatch.setenv(name, evil.origin)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / ".netrc").write_text(netrc.read_text())
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, "/nowhere/ca.pem")
        for secret in (None, "s3cret"):
            folder = tmp_path / str(secret)
            folder.mkdir()
            with rigged(folder, client_secret=secret) as rig:
                _whole_walk(rig)
                for request in _requests(rig.cognito):
                    assert "Basic bWFsbG9y" not in (request.header("Authorization") or "")
        evil.assert_untouched()


def test_AP_13_ambient_aws_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS keys, profiles and metadata services around the process are neither used nor asked."""
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = x\n"
    )
    with EvilHost() as evil:
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "ambient")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", evil.origin)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{evil.origin}/creds")
        with rigged(tmp_path, client_secret="s3cret") as rig:
            _whole_walk(rig)
            for request in _requests(rig.cognito):
                assert "AKIA" not in repr(request.headers)
        evil.assert_untouched()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A listener that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


def test_AP_13_bundle_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: socket.socket
) -> None:
    """REQUESTS_CA_BUNDLE, which we do not read, does not break TLS to the identity pool."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere/ca.pem")
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    origin = f"https://127.0.0.1:{silent.getsockname()[1]}"
    with rigged(tmp_path, AWS_ENDPOINT_URL_COGNITO_IDENTITY=origin) as rig:
        rig.browser().call("test-public", "guest")
    connection, _ = silent.accept()
    with connection:
        connection.settimeout(5)
        assert connection.recv(1) == b"\x16", "no TLS handshake was even begun"


def test_AP_14_id_token_only_to_the_api(rig: Rig) -> None:
    """Of all that leaves only calls of the API and the pool's logins hold the ID token."""
    _whole_walk(rig)
    tokens = rig.cognito.issuer.mint.id_token.minted
    assert len(tokens) >= 2
    seen = set()
    for server, request in _requests_by_server(rig.cognito):
        everything = request.target + repr(request.headers) + request.body.decode()
        if request.header_values(ID_TOKEN_HEADER):
            assert server == "api"
        if any(token in everything for token in tokens):
            seen.add(server)
            assert request.header("Host") != ""
            assert not any(token in request.target for token in tokens)
    assert seen == {"api", "pool"}


def test_AP_14_only_for_the_identities_that_it_belongs_to(rig: Rig) -> None:
    """The header goes with a signed-in user's call alone, with nobody else's."""
    browser = rig.signed_in("admin")
    for endpoint, identity in (
        *(("test-plain", "nobody"), ("test-public", "guest"), ("protected", "bearer-access")),
        *(("protected", "bearer-id"), ("test-plain", "guest")),
    ):
        browser.call(endpoint, identity)
        request = rig.cognito.api.calls[-1].request
        assert request.header(ID_TOKEN_HEADER) is None
        if identity in ("nobody", "guest"):
            assert not any(t in repr(request) for t in rig.cognito.issuer.mint.id_token.minted)
    browser.call("test-plain", "user")
    token = rig.cognito.issuer.mint.id_token.minted[-1]
    assert rig.cognito.api.calls[-1].request.header(ID_TOKEN_HEADER) == token


@pytest.mark.parametrize(
    "address",
    [
        *("http://api.example.com", "http://10.0.0.1/prod", "http://localhost.evil.example"),
        *("http://127.0.0.1.evil.example", "ftp://api.example.com", "//api.example.com"),
        *("https://user@api.example.com", "https://api.example.com?x=", "https://*.example.com"),
    ],
)
def test_AP_14_only_over_tls(address: str) -> None:
    """An API that is not this machine is taken over https alone: nothing starts with another."""
    with Cognito() as cognito, pytest.raises(SettingsProblems, match="API_ENDPOINT"):
        Settings.load(cognito.environment("http://localhost:8000", API_ENDPOINT=address))


def test_AP_14_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS a call works with an authority that we trust; a stranger's certificate gets none."""
    folders = [tmp_path / name for name in ("ours", "theirs")]
    for folder in folders:
        folder.mkdir()
    ours, theirs = (Authority.make(folder) for folder in folders)
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.ca_file))
    tokens = TokenSet("eyJ.id-token", "eyJ.access-token", None, 0, 0)
    keys = AwsKeys("id", "ASIA", "secret", "session", 0, 0)
    for authority, host in ((ours, "127.0.0.1"), (theirs, "127.0.0.1"), (ours, "other.example")):
        with Server(tls=authority.server(host)) as server:
            seen: list[Request] = []
            server.mount(_noting(seen))
            outbound = Outbound()
            client = ApiClient(outbound, base=server.origin, region="us-east-1", deadline=5)
            endpoint = endpoint_named("secure")
            if (authority, host) == (ours, "127.0.0.1"):
                client.call(endpoint, "user", endpoint.path, keys=keys, tokens=tokens)
                client.call(endpoint, "guest", endpoint.path, keys=keys, tokens=tokens)
                client.call(endpoint, "nobody", endpoint.path, keys=keys, tokens=tokens)
                headers = [one.header(ID_TOKEN_HEADER) for one in seen]
                assert headers == ["eyJ.id-token", None, None]
            else:
                with pytest.raises(ApiUnavailable):
                    client.call(endpoint, "user", endpoint.path, keys=keys, tokens=tokens)
                assert seen == []


def _noting(seen: list[Request]) -> Handler:
    def answer(request: Request) -> Answer:
        seen.append(request)
        return Answer()

    return answer


def _requests_by_server(cognito: Cognito) -> Iterator[tuple[str, Request]]:
    for name, double in (("issuer", cognito.issuer), ("pool", cognito.pool)):
        for endpoint in double.endpoints:
            for request in endpoint.requests:
                if request.headers:  # the browser's own way to the pool is played without any
                    yield name, request
    for call in cognito.api.calls:
        yield "api", call.request


def _requests(cognito: Cognito) -> Iterator[Request]:
    return (request for _, request in _requests_by_server(cognito))
