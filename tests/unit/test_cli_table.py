"""Tables and the text in them: widths, folds, colours, and nothing that steers a terminal."""

import io
import json

import pytest

from webapp.cli.output import moment, span
from webapp.cli.plain import cells, one_line, plain
from webapp.cli.table import Cell, colourful, pairs, table


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    """Heads and rows stand under each other, and no line ends in blanks."""
    assert table(("A", "LONG HEAD"), [("first", 1), ("x", None)]) == (
        "A      LONG HEAD\nfirst  1\nx      -"
    )
    assert pairs([("one", "1"), ("three", "")]) == "one    1\nthree  -"


def test_a_narrow_terminal_folds_the_widest() -> None:
    """What does not fit goes on beneath itself, cut at a blank where there is one."""
    told = table(("ID", "WHAT"), [("7", "a sentence that is much too long")], width=24)
    assert told.splitlines() == [
        "ID  WHAT",
        "7   a sentence that is",
        "    much too long",
    ]
    marked = table(("ROLE",), [("role:portico-team-a",)], width=17).splitlines()
    assert marked == ["ROLE", "role:portico-", "team-a"]
    hard = table(("ID",), [("x" * 20,)], width=12).splitlines()
    assert hard == ["ID", "x" * 12, "x" * 8]


def test_a_pipe_gets_a_line_for_each_row() -> None:
    """Without a terminal nothing is folded, so a search finds the whole row."""
    assert table(("ID",), [("x" * 500,)]).splitlines()[1] == "x" * 500


def test_what_stands_beneath() -> None:
    """A cell may have a second line of its own."""
    assert table(("A", "B"), [("1", Cell("seen", beneath="cure"))]) == "A  B\n1  seen\n   cure"


def test_wide_characters_count_two() -> None:
    """Columns stay under each other beside Chinese and combined characters."""
    assert cells("山e\u0301") == 3
    assert table(("A", "B"), [("山", "1"), ("ab", "2")]) == "A   B\n山  1\nab  2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc", r"a\nb\tc"),
        ("x\u202egnp.exe", r"x\u202egnp.exe"),
        ("\x9b2J", r"\x9b2J"),
        ("\ud800", r"\ud800"),
        ("Zoë 山 🙂", "Zoë 山 🙂"),
    ],
)
def test_nothing_steers_the_terminal(text: str, shown: str) -> None:
    """What cannot be seen is named instead, in cells too; what can be seen stays."""
    assert plain(text) == shown
    assert "\x1b" not in table(("A",), [(text,)])


def test_LG_01_one_line_of_json() -> None:
    """JSON may be read at a terminal too: what cannot be seen is escaped and means the same."""
    content = {
        "\x9b2J": ["\x1b]0;x\x07", "\u202egnp", "\ud800", "\U000e0001", "Zoë 山 🙂", 1, None]
    }
    told = one_line(content)
    assert json.loads(told) == content
    assert told.isprintable()
    assert "Zoë 山 🙂" in told


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal has colour; a pipe, NO_COLOR and a dumb terminal have none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert colourful(Screen())
    assert not colourful(io.StringIO())
    monkeypatch.setattr("sys.stdout", Screen())
    assert table(("A",), [(Cell("x", "red"),)]).splitlines()[1] == "\x1b[31mx\x1b[0m"
    beneath = table(("A",), [(Cell("x", "red", beneath="yy"),)]).splitlines()
    assert beneath[2] == "\x1b[31myy\x1b[0m"
    assert table(("A", "B"), [("x", Cell("", "red"))]).splitlines()[1] == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert table(("A",), [(Cell("x", "red"),)]) == "A\nx"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not colourful(Screen())


def test_times() -> None:
    """A moment is UTC to the second, a span has its two largest units."""
    assert moment(1_800_000_000) == "2027-01-15 08:00:00Z"
    assert [span(one) for one in (-5, 0, 59, 61, 3600, 90_061)] == [
        *("0 s", "0 s", "59 s", "1 min 1 s", "1 h", "1 d 1 h"),
    ]
