"""`users import` against the offline AWS: looked at first, done then, taken up again."""

import secrets
from pathlib import Path
from typing import Any

from tests.stack.command_line import CommandLine
from tests.stack.offline import OfflineAws

PASSWORD = "Portico-import-1"


def _file(folder: Path, *lines: str) -> str:
    path = folder / f"people-{secrets.token_hex(3)}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def _people(tag: str, *more: str) -> list[str]:
    return [
        "email,name,groups,custom:department,temporary_password",
        f"one-{tag}@example.com,Öne,Viewer; Manager,Sales,{PASSWORD}",
        f'two-{tag}@example.com,"Two, Esq.",,,{PASSWORD}',
        *more,
    ]


def _actions(told: Any) -> list[str]:
    return [step["action"] for step in told["steps"]]


def test_people_come_in_and_come_in_once(command_line: CommandLine) -> None:
    """A dry run does nothing, the run does it, and the next one leaves all as it is."""
    tag = secrets.token_hex(3)
    file = _file(command_line.folder, *_people(tag))
    dry = command_line.run("users", "import", file, "--dry-run", "--json").json
    assert (dry["dry_run"], _actions(dry)) == (True, ["create", "create"])
    assert command_line.run("users", "show", f"one-{tag}@example.com").status == 1
    done = command_line.run("users", "import", file, "--json")
    assert (done.status, _actions(done.json)) == (0, ["create", "create"])
    assert PASSWORD not in done.out + done.err
    one = command_line.run("users", "show", f"one-{tag}@example.com", "--json").json["user"]
    assert (one["attributes"]["name"], sorted(one["groups"])) == ("Öne", ["Manager", "Viewer"])
    again = command_line.run("users", "import", file, "--json").json
    assert again["summary"] == {"create": 0, "update": 0, "skip": 2, "failed": 0}


def test_a_run_that_was_broken_off(command_line: CommandLine) -> None:
    """Who was half made is finished with --existing update, which asks before it changes."""
    tag = secrets.token_hex(3)
    words = ("users", "create", f"one-{tag}@example.com", "--password-stdin")
    command_line.run(*words, stdin=PASSWORD)
    file = _file(command_line.folder, *_people(tag))
    skipped = command_line.run("users", "import", file, "--dry-run")
    assert "is there; differs in name, custom:department, group Viewer" in skipped.out
    update = ("users", "import", file, "--existing", "update")
    assert command_line.run(*update).status == 2
    done = command_line.run(*update, "--yes", "--json").json
    assert _actions(done) == ["update", "create"]
    assert set(_actions(command_line.run(*update, "--json").json)) == {"skip"}


def test_every_bad_line_before_anything_is_done(command_line: CommandLine) -> None:
    """All that is wrong is told with its line, and nobody was made."""
    tag = secrets.token_hex(3)
    file = _file(
        command_line.folder,
        *_people(tag),
        f"three-{tag},,,,{PASSWORD}",
        f"four-{tag}@example.com,,Nobodys,,{PASSWORD}",
        f"five-{tag}@example.com,,,,short",
        f"ONE-{tag}@example.com,,,,{PASSWORD}",
        f"six-{tag}@example.com,,,{'x' * 65},{PASSWORD}",
        f"seven-{tag}@example.com",
        f"eight-{tag}@example.com,,,",
    )
    refused = command_line.run("users", "import", file)
    assert (refused.status, refused.out) == (2, "")
    for said in (
        "line 4: email is not an address",
        "line 5: there is no group Nobodys",
        "line 6: the temporary password needs at least 12 characters",
        "is in line 2 already",
        "line 8: custom:department has 65 characters",
        "line 9: 1 values, where the first line names 5 columns",
        "line 10: 4 values",
    ):
        assert said in refused.err
    assert "short" not in refused.err
    assert command_line.run("users", "show", f"one-{tag}@example.com").status == 1


def test_one_password_for_all_or_an_invitation(
    command_line: CommandLine, offline_aws: OfflineAws
) -> None:
    """New people need a first password: of their line, of standard input, or Cognito's by mail."""
    tag = secrets.token_hex(3)
    file = _file(command_line.folder, "email", f"a-{tag}@example.com", "", f"b-{tag}@example.com")
    lacking = command_line.run("users", "import", file)
    assert (lacking.status, "line 4: no temporary_password" in lacking.err) == (2, True)
    assert command_line.run("users", "import", file, "--password-stdin", stdin=PASSWORD).status == 0
    assert not offline_aws.mails(f"a-{tag}@example.com")
    file = _file(command_line.folder, "email", f"c-{tag}@example.com")
    assert command_line.run("users", "import", file, "--invite").status == 0
    assert len(offline_aws.mails(f"c-{tag}@example.com")) == 1


def test_what_is_no_such_file(command_line: CommandLine) -> None:
    """A file without heads, with unknown columns, not CSV or not UTF-8 says what it lacks."""
    folder = command_line.folder
    for lines, said in (
        (["name,groups"], "`email` among them"),
        (["email,email"], "twice"),
        (["email,favourite", "x@example.com,blue"], "there is no column favourite"),
        (["email,sub", "x@example.com,1"], "there is no column sub"),
        (["email", '"x'], "not CSV"),
        (["email"], "nobody in the file"),
    ):
        refused = command_line.run("users", "import", _file(folder, *lines), "--invite")
        assert (refused.status, said in refused.err) == (2, True), refused.err
    latin = folder / "latin.csv"
    latin.write_bytes("email,name\nx@example.com,\xd6ne\n".encode("latin-1"))
    refused = command_line.run("users", "import", str(latin))
    assert (refused.status, "not UTF-8" in refused.err) == (2, True)
