"""The commands at a pseudo-terminal, as a person, and in pipes, as a program."""

import secrets
import subprocess
from pathlib import Path

import pytest

from tests.stack.command_line import PROGRAM, CommandLine
from tests.stack.offline import OfflineAws

PASSWORD = "Portico-typed-1"
GREEN, RESET = "\x1b[32m", "\x1b[0m"


def test_a_person_makes_somebody(command_line: CommandLine) -> None:
    """The password is asked for twice and never shown; a typing error is asked again."""
    email = f"typed-{secrets.token_hex(3)}@example.com"
    with command_line.terminal("users", "create", email, "--permanent") as terminal:
        terminal.see("Password:")
        terminal.type(PASSWORD)
        terminal.see("Repeat for confirmation:")
        terminal.type(PASSWORD + "x")
        terminal.see("do not match")
        terminal.see("Password:", times=2)
        terminal.type(PASSWORD)
        terminal.see("Repeat for confirmation:", times=2)
        terminal.type(PASSWORD)
        terminal.see(f"Made {email}.")
        assert terminal.end() == 0
        assert PASSWORD not in terminal.shown


def test_colours_are_for_a_terminal(command_line: CommandLine) -> None:
    """A person sees colours, unless NO_COLOR or a dumb terminal; the words are the same."""
    words = ("users", "list", "--filter", "email=admin@example.com")
    seen = {}
    for name, environment in (
        ("colour", {}),
        ("none", {"NO_COLOR": "1"}),
        ("dumb", {"TERM": "dumb"}),
    ):
        with command_line.terminal(*words, columns=200, **environment) as terminal:
            assert terminal.end() == 0, terminal.text
            seen[name] = terminal.shown
            plain = terminal.text
    assert f"{GREEN}CONFIRMED{RESET}" in seen["colour"]
    assert "\x1b" not in seen["none"] + seen["dumb"]
    assert plain == command_line.script(*words).out


def test_a_narrow_terminal(command_line: CommandLine) -> None:
    """No line is wider than the terminal."""
    with command_line.terminal("users", "list", columns=60) as terminal:
        assert terminal.end() == 0
        assert max(map(len, terminal.text.splitlines())) <= 60


def test_a_person_is_asked_before_something_is_lost(
    command_line: CommandLine, offline_aws: OfflineAws
) -> None:
    """A no changes nothing, an interruption has its own exit status, a yes deletes."""
    user = offline_aws.new_user()
    words = ("users", "delete", user.email)
    with command_line.terminal(*words) as terminal:
        terminal.see("for good? [y/N]")
        terminal.type("n")
        terminal.see("Nothing was changed.")
        assert terminal.end() == 1
    with command_line.terminal(*words) as terminal:
        terminal.see("for good? [y/N]")
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        assert "Traceback" not in terminal.text
    assert command_line.script("users", "show", user.email).status == 0
    with command_line.terminal(*words) as terminal:
        terminal.see("for good? [y/N]")
        terminal.type("y")
        terminal.see("is gone.")
        assert terminal.end() == 0
    assert command_line.script("users", "show", user.email).status == 1


def test_progress_is_for_a_terminal(command_line: CommandLine) -> None:
    """A long import shows how far it is to a person, and leaves no trace of it in a pipe."""
    tag = secrets.token_hex(3)
    file = command_line.folder / "progress.csv"
    lines = [f"p{number}-{tag}@example.com,{PASSWORD}" for number in range(12)]
    file.write_text("\n".join(["email,temporary_password", *lines]) + "\n")
    with command_line.terminal("users", "import", str(file), "--dry-run") as terminal:
        assert terminal.end() == 0
        assert "Looking 1 of 12" in terminal.text
    script = command_line.script("users", "import", str(file), "--json")
    assert (script.status, script.err) == (0, "")
    assert script.json["summary"]["create"] == 12


def test_the_password_is_in_no_list_of_processes(
    command_line: CommandLine, offline_aws: OfflineAws
) -> None:
    """While a command runs, its arguments hold no password, however it was given."""
    user = offline_aws.new_user()
    file = command_line.folder / "secret-of-the-listed"
    file.write_text(PASSWORD)
    words = ("users", "set-password", user.email, "--password-file", str(file))
    process = command_line.start(*words)
    arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert PASSWORD.encode() not in arguments


def test_a_pipe_that_closes(command_line: CommandLine) -> None:
    """`| head` ends the command without a word on standard error."""
    line = " ".join(PROGRAM) + " users list --limit 500 --json | head -c 1"
    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        cwd=command_line.folder,
        env=command_line.environment,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{", "")


COMPLETED = r"""
eval "$(%(program)s completion bash)"
COMP_WORDS=(portico %(words)s)
COMP_CWORD=%(index)d
_portico_completion portico
printf '%%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["us"], ["users"]),
        (["users", "add"], ["add-to-group"]),
        (["users", "add-to-group", "admin@example.com", "Ma"], ["Manager"]),
        (["users", "list", "--group", "Team"], ["TeamA", "TeamB"]),
        (["token", "--raw", ""], ["id", "access", "refresh"]),
        (["call", "test-"], ["test-plain", "test-public", "test-auth"]),
        (["call", "vip", "--as", "b"], ["bearer-access", "bearer-id"]),
        (["call", "vip", "--as", "role:portico-m"], ["role:portico-manager"]),
        (["call", "document-read", "-p", ""], ["id=handbook"]),
    ],
)
def test_completion_in_bash(
    command_line: CommandLine, words: list[str], offered: list[str]
) -> None:
    """What bash offers after TAB: commands, options' values, and the groups of the user pool."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = COMPLETED % {"program": " ".join(PROGRAM), "words": quoted, "index": len(words)}
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=command_line.folder,
        env=command_line.environment,
        timeout=60,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (offered, "")


def test_completion_through_flask(command_line: CommandLine) -> None:
    """`flask --app wsgi` completes the same by click's own means."""
    environment = {
        "_FLASK_COMPLETE": "bash_complete",
        "COMP_WORDS": "flask --app wsgi users add-to-group x Ma",
        "COMP_CWORD": "6",
    }
    flask = Path(PROGRAM[0]).parent / "flask"
    done = subprocess.run(
        [str(flask)],
        capture_output=True,
        text=True,
        cwd=command_line.folder,
        env={**command_line.environment, **environment},
        timeout=60,
        check=False,
    )
    assert done.stdout == "plain,Manager\n", done.stderr


def test_through_flask(command_line: CommandLine) -> None:
    """`flask --app wsgi` runs the same commands and ends with the same statuses."""
    flask = str(Path(PROGRAM[0]).parent / "flask")
    for words, status, out in (
        (["users", "groups", "--json"], 0, '{"groups": ["Admin"'),
        (["users", "show", "ghost@example.com"], 1, ""),
        (["call", "test-plain", "--body"], 0, '{"message"'),
    ):
        done = subprocess.run(
            [flask, "--app", "wsgi", *words],
            capture_output=True,
            text=True,
            cwd=command_line.folder,
            env=command_line.environment,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout[: len(out)]) == (status, out), done.stderr
        assert "Traceback" not in done.stderr


def test_completion_is_silent_where_aws_is_not(command_line: CommandLine) -> None:
    """Without AWS, or without settings, nothing is offered and nothing is said."""
    for changes in ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, {"AWS_REGION": ""}):
        environment = {
            "_PORTICO_COMPLETE": "bash_complete",
            "COMP_WORDS": "portico users list --group A",
            "COMP_CWORD": "4",
            **changes,
        }
        done = command_line.script(**environment)
        assert (done.out.strip(), done.err) == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(command_line: CommandLine, shell: str) -> None:
    """Each shell gets a function and its completion, which ask this Python and not a program."""
    done = command_line.script("completion", shell, "--as", "front_door")
    assert done.status == 0
    assert "front_door" in done.out
    assert f"_PORTICO_COMPLETE={shell}_complete" in done.out
    assert done.out.count("-m webapp.cli") == 2
    assert "$+commands" not in done.out
    assert command_line.script("completion", shell, "--as", "a;b").status == 2
