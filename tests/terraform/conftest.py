"""Terraform, initialised once, and a fresh offline AWS that it has made its stack on."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.facts import Stack
from infra.local.process import free_port, start_offline_aws
from infra.local.provision_clients import connect
from infra.local.provision_documents import demo_documents
from infra.local.provision_people import users
from infra.stack import load_stack
from tests.stack.offline import OfflineAws
from tests.stack.world import Offline
from tests.terraform.program import Terraform, TerraformFailedError, working_copy
from webapp.cli.settings import read_outputs

# A create that the emulator did, but whose answer was lost, is sent again and then refused.
_FLAKE = "already exists"


@dataclass(frozen=True)
class Applied:
    """A stack that Terraform made: where, with what, and the outputs."""

    aws: Offline
    terraform: Terraform
    options: tuple[str, ...]
    outputs: dict[str, Any]
    """As `terraform output -json` prints them."""

    @property
    def settings(self) -> dict[str, str]:
        """The application's settings, secret ones included."""
        return read_outputs(self.outputs, with_store=False)

    @property
    def pool_id(self) -> str:
        """The user pool's id."""
        return self.settings["COGNITO_USER_POOL_ID"]

    @property
    def session_store_url(self) -> str:
        """The setting for sessions in the stack's table."""
        return str(self.outputs["session_store_url"]["value"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a test that runs the terraform program."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.terraform)


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """The program over a copy of infra/terraform, initialised."""
    return working_copy(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The stack without what exists only offline, which Terraform leaves out."""
    facts = load_stack()
    return dataclasses.replace(
        facts,
        groups={name: group for name, group in facts.groups.items() if not group.demo},
        roles={name: role for name, role in facts.roles.items() if not role.demo},
        demo=dataclasses.replace(facts.demo, users=(), documents=(), callbacks=()),
    )


@pytest.fixture(scope="session")
def applied(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """What Terraform made on a fresh offline AWS."""
    yield from _applied(terraform, tmp_path_factory.mktemp("applied"), attempts_left=1)


@pytest.fixture(scope="session")
def offline(applied: Applied, stack: Stack) -> OfflineAws:
    """The demo's people and documents on Terraform's stack, without the demo's own groups."""
    demo = load_stack().demo
    known = stack.groups.keys()
    people = tuple(
        dataclasses.replace(user, groups=tuple(known & set(user.groups))) for user in demo.users
    )
    peopled = dataclasses.replace(stack, demo=dataclasses.replace(demo, users=people))
    clients = connect(applied.aws.endpoint, stack.region)
    users(clients, peopled, applied.pool_id)
    demo_documents(clients, peopled, applied.pool_id)
    return OfflineAws(applied.aws, peopled, applied.settings)


@pytest.fixture(scope="session")
def fresh_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offline]:
    """An offline AWS that is still empty."""
    yield from _running(tmp_path_factory.mktemp("fresh"))


def _applied(terraform: Terraform, folder: Path, attempts_left: int) -> Iterator[Applied]:
    for aws in _running(folder / str(attempts_left)):
        state = f"-state={folder / f'{attempts_left}.tfstate'}"
        options = (
            *("-no-color", "-input=false", state, "-var=target=local"),
            *(
                f"-var=offline_endpoint={aws.endpoint}",
                f"-var=app_base_url=http://localhost:{free_port()}",
            ),
            "-var=deletion_protection=false",
        )
        try:
            terraform.run("apply", "-auto-approve", "-parallelism=20", *options)
        except TerraformFailedError as error:
            if _FLAKE not in str(error) or not attempts_left:
                raise
            break
        yield Applied(aws, terraform, options, terraform.outputs(state))
        return
    yield from _applied(terraform, folder, attempts_left - 1)


def _running(folder: Path) -> Iterator[Offline]:
    port = free_port()
    child = start_offline_aws(port, folder)
    try:
        child.wait_until_healthy()
        yield Offline(f"http://127.0.0.1:{port}")
    finally:
        child.stop()
