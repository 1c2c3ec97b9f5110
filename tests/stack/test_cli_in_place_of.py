"""The table in docs/reference/commands.md that names a command for each script of others: it runs.

What stands there in its order is done in its order: make somebody, change them, delete them.
"""

import re
import shlex

import pytest

from tests.stack.command_line import ROOT, CommandLine
from tests.stack.offline import OfflineAws

PAGE = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## In place of other scripts")[1].split("\n## ")[0]
COMMANDS = re.findall(r"`portico ([^`]+)` \|$", TABLE, re.MULTILINE)


def test_the_table_is_whole() -> None:
    """Each choice of the user script, each way to authenticate, each other tool has a line."""
    assert sum("manage-users.sh" in line for line in TABLE.splitlines()) == 5
    assert len(re.findall(r"^\| [1-5], call", TABLE, re.MULTILINE)) == 5
    assert TABLE.count("\n| ") - 1 == len(COMMANDS) >= 18
    assert "aws-api-gateway-cli-test" in TABLE


@pytest.mark.parametrize("command", [one for one in COMMANDS if "--code" not in one])
def test_each_line_runs(command_line: CommandLine, offline_aws: OfflineAws, command: str) -> None:
    """The command succeeds as it is written; --code, for which a browser is needed, has its own."""
    password = offline_aws.stack.demo.password
    done = command_line.script(*shlex.split(command), PORTICO_PASSWORD=password)
    assert (done.status, "Traceback" in done.err) == (0, False), done.err
    assert password not in done.out + done.err
