"""The terraform program over a copy of infra/terraform: nothing is written into the project.

The provider comes from a local mirror where the machine has one (a folder that holds
`registry.terraform.io/`), and from the registry otherwise.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.bundle import write_all
from tests.parts import program

INFRA = Path(__file__).parents[2] / "infra"
NO_CHANGES, CHANGES = 0, 2  # exit status of `terraform plan -detailed-exitcode`

# Where Terraform itself would look, and where a machine's owner may have put it.
_MIRRORS = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/*",
    "/usr/local/*",
    "/var/lib/*",
)


class TerraformFailedError(AssertionError):
    """A command of terraform ended with an error; the text is what it said."""


@dataclass(frozen=True)
class Terraform:
    """One initialised working copy; its state and its plugins are inside."""

    folder: Path
    environment: Mapping[str, str]

    def run(
        self, *arguments: str, expect: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; raise TerraformFailedError when its status is not expected."""
        done = subprocess.run(
            [program("terraform") or "terraform", *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in expect:
            said = f"terraform {arguments[0]} ended with {done.returncode}"
            raise TerraformFailedError(f"{said}:\n{done.stdout}{done.stderr}")
        return done

    def outputs(self, *state: str) -> dict[str, Any]:
        """Return the outputs as the program prints them, the sensitive ones included."""
        shown: dict[str, Any] = json.loads(self.run("output", "-json", *state).stdout)
        return shown


def working_copy(folder: Path) -> Terraform:
    """Copy what Terraform reads into this folder, make the archives, and initialise."""
    root = folder / "infra" / "terraform"
    clutter = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars", "backend.tf")
    shutil.copytree(INFRA / "terraform", root, ignore=clutter)
    shutil.copy(INFRA / "stack.yaml", root.parent)
    write_all(INFRA / "functions", root.parent / "functions" / "build")
    terraform = Terraform(root, _environment(folder))
    terraform.run("init", "-input=false", "-no-color")
    return terraform


def _environment(folder: Path) -> dict[str, str]:
    """The caller's environment without anything that speaks of AWS or steers Terraform."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_")) and not name.lower().endswith("_proxy")
    }
    settings = folder / "terraform.rc"
    mirror = _mirror()
    settings.write_text("" if mirror is None else _mirror_settings(mirror))
    # A plan that forgot its endpoint must not find credentials, nor a network way to AWS.
    nowhere = str(folder / "none")
    return kept | {
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_IN_AUTOMATION": "true",
        "CHECKPOINT_DISABLE": "true",
        # Less tidying up in memory: the provider's schema is large, the programs are short-lived.
        "GOGC": "800",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _mirror_settings(mirror: Path) -> str:
    path = json.dumps(str(mirror))
    return f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n"


def _mirror() -> Path | None:
    wanted = "registry.terraform.io/hashicorp/aws"
    for pattern in _MIRRORS:
        top = Path(pattern).expanduser()
        for folder in sorted(top.parent.glob(top.name)):
            if (folder / wanted).is_dir():
                return folder
    return None
