"""The container: the recipe as it stands, and the image itself, built without an engine."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from infra.container.healthcheck import healthy
from infra.container.image import Found, tried
from infra.container.workshop import BaseUnavailable, missing
from infra.local.process import free_port

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = ROOT / "infra" / "container"
RECIPE = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def image() -> Found:
    """The image, built from the Dockerfile as it stands and started as its own user."""
    if lacking := missing():
        pytest.skip(reason=f"the image cannot be built here without {', '.join(lacking)}")
    try:
        return tried(free_port())
    except BaseUnavailable as error:  # no mirror of Debian in reach: nothing is said of the image
        pytest.skip(reason=f"no base to build upon: {error}")


@pytest.mark.image
@pytest.mark.slow
def test_RT_16_runs_as_nobody_in_particular(image: Found) -> None:
    """The application answers as user 10001, who may write nowhere in the image."""
    assert image.uid == 10001
    assert image.writable == ()
    assert image.seconds < 30


@pytest.mark.image
@pytest.mark.slow
def test_SC_03_holds_nothing_that_it_does_not_need(image: Found) -> None:
    """No compiler, no pip, nothing to fetch with, no history and no tests are in the image."""
    assert image.unwanted == ()


@pytest.mark.image
@pytest.mark.slow
def test_SC_04_two_builds_are_the_same_to_the_last_byte(image: Found) -> None:
    """Whoever builds the same commit on the same base again gets the same digest."""
    first, second = image.digests
    assert re.fullmatch("sha256:[0-9a-f]{64}", first)
    assert first == second


@pytest.mark.image
@pytest.mark.slow
def test_KY_07_no_secret_in_the_image(image: Found) -> None:
    """The image's environment names no secret: settings come when it is started."""
    assert {"PATH", "PORT"} <= set(image.environment)
    assert not [name for name in image.environment if re.search("SECRET|KEY|TOKEN|COGNITO", name)]


def test_SC_03_the_base_comes_by_argument_and_digest() -> None:
    """The base is one argument for both stages, and the recipe names no other image."""
    bases = re.findall(r"^FROM (\S+)", RECIPE, re.MULTILINE)
    assert bases == ["${PYTHON_IMAGE}"] * 2
    assert "--require-hashes" in RECIPE
    assert re.search(r"^USER 10001:10001$", RECIPE, re.MULTILINE)
    assert RECIPE.index("\nUSER ") < RECIPE.index("\nCMD ")


def test_SC_03_only_what_runs_goes_in() -> None:
    """Docker is shown a short list of files, without tests, history or settings."""
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert allowed[1] == "*"
    shown = {line[1:] for line in allowed if line.startswith("!")}
    copied = set()
    for line in re.findall(r"^COPY ((?!--from)[^\n]+)", RECIPE, re.MULTILINE):
        copied |= set(line.split()[:-1])
    assert copied == shown
    assert not {"tests", ".git", ".env", "requirements-dev.txt"} & shown


def test_compose_gives_nothing_away() -> None:
    """Every service has a read-only root and no capability more than it needs."""
    services = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    assert services["app"]["user"] == "10001:10001"
    assert "SECRET_KEY" not in services["app"]["environment"]
    assert services["proxy"]["ports"] == ["127.0.0.1:8080:8080"]
    assert "noeviction" in services["store"]["command"]


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False), (500, False)])
def test_the_health_check_believes_200_alone(status: int, well: bool) -> None:
    """Only a 200 of /healthz is health."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert healthy(server.server_address[1]) is well


def test_nobody_there_is_no_health() -> None:
    """A port without anybody behind it is no health, and no traceback."""
    assert healthy(free_port()) is False
