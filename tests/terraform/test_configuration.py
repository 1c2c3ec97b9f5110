"""Terraform's own tests, over a mocked AWS for what cannot run offline.

They validate the configuration as well; `make check` does it alone.
"""

from tests.terraform.program import Terraform


def test_everything_is_formatted(terraform: Terraform) -> None:
    """`terraform fmt` would change nothing."""
    assert not terraform.run("fmt", "-check", "-recursive", expect=(0, 3)).stdout


def test_KY_07_RT_16_SC_05_what_only_aws_can_run_is_as_it_must_be(terraform: Terraform) -> None:
    """The container home, its secrets, the pipeline's trust and the guards, over a mocked AWS."""
    said = terraform.run("test", "-no-color").stdout
    assert ", 0 failed." in said
    assert "skip" not in said
