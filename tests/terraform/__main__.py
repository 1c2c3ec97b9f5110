"""`terraform fmt` and `terraform validate` for `make check`: python -m tests.terraform."""

import sys
import tempfile
from pathlib import Path

from tests.terraform.program import TerraformFailedError, working_copy


def main() -> int:
    """Print what is not formatted or not valid; 0 when that is nothing."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            terraform = working_copy(Path(folder))
            wrong = terraform.run("fmt", "-check", "-recursive", expect=(0, 3)).stdout
            terraform.run("validate", "-no-color")
        except TerraformFailedError as error:
            print(error)
            return 1
    for path in wrong.splitlines():
        print(f"infra/terraform/{path}: run terraform fmt")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
