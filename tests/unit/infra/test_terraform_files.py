"""What Terraform's files promise, read as text: no terraform program is needed for this."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TERRAFORM = ROOT / "infra" / "terraform"
SETTINGS = (ROOT / "docs" / "reference" / "settings.md").read_text()
GUNICORN = (ROOT / "infra" / "container" / "gunicorn.conf.py").read_text()

# Variables of the container that are gunicorn's, not the application's.
_GUNICORNS = {"PORT", "WEB_CONCURRENCY"}


def _file(name: str) -> str:
    return (TERRAFORM / name).read_text()


def _blocks(kind: str) -> dict[str, str]:
    """Every block of a kind by its name, with its text; blocks end at a brace in column one."""
    found = {}
    for path in TERRAFORM.glob("*.tf"):
        for name, body in re.findall(
            rf'^{kind} "([^"]+)" {{\n(.*?)^}}', path.read_text(), re.DOTALL | re.MULTILINE
        ):
            found[name] = body
    return found


@pytest.mark.parametrize("kind", ["variable", "output"])
def test_everything_that_goes_in_or_comes_out_is_described(kind: str) -> None:
    """Each variable and each output says in words what it is."""
    blocks = _blocks(kind)
    assert len(blocks) > 5
    bare = [
        name for name, body in blocks.items() if not re.search(r"^  description = ", body, re.M)
    ]
    assert not bare


def test_every_variable_is_used() -> None:
    """No variable is left that changes nothing."""
    text = "\n".join(path.read_text() for path in TERRAFORM.glob("*.tf"))
    assert not [name for name in _blocks("variable") if not re.search(rf"\bvar\.{name}\b", text)]


def test_the_settings_of_the_stack_are_settings_of_the_application() -> None:
    """Every name that Terraform gives to the application is in the reference of the settings."""
    given = set(re.findall(r"\b([A-Z][A-Z_]{3,})\s+=", _file("outputs.tf") + _file("container.tf")))
    assert {"APP_BASE_URL", "SECRET_KEY", "SESSION_STORE_URL", "TRUSTED_PROXY_HOPS"} <= given
    unknown = {name for name in given - _GUNICORNS if f"`{name}`" not in SETTINGS}
    assert not unknown
    assert all(f'"{name}"' in GUNICORN for name in _GUNICORNS)


def test_the_task_may_do_what_the_reference_says() -> None:
    """The role of the application has the actions of docs/reference/settings.md, no more."""
    sentence = re.search(r"The role needs `dynamodb:(.*?) on that table", SETTINGS, re.DOTALL)
    assert sentence
    documented = set(re.findall(r"[A-Z][A-Za-z]+", sentence[1]))
    policy = _file("container.tf").split('"aws_iam_policy_document" "task"')[1].split("\n}\n")[0]
    assert set(re.findall(r"dynamodb:(\w+)", policy)) == documented


def test_the_balancer_and_gunicorn_agree_about_time() -> None:
    """The balancer lets go first, and gives a leaving container what gunicorn gives a request."""

    def seconds(text: str, name: str) -> int:
        found = re.search(rf"^\s*{name}\s*= (\d+)$", text, re.MULTILINE)
        assert found, name
        return int(found[1])

    balancer = _file("load_balancer.tf")
    assert seconds(balancer, "idle_timeout") < seconds(GUNICORN, "keepalive")
    graceful = seconds(GUNICORN, "graceful_timeout")
    assert seconds(balancer, "deregistration_delay") >= graceful
    assert seconds(balancer, "stop_timeout") > graceful


def test_no_state_and_no_values_are_tracked() -> None:
    """Only the configuration, its tests and examples are in the folder that git sees."""
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"*.tfstate*", "*.tfvars", ".terraform/", "backend.hcl"} <= set(ignored)
