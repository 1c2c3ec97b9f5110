"""The tour as data: nine steps, true names, and a written form that does not fall behind."""

import re

import pytest

from infra.stack import load_stack
from tests import walkthrough
from webapp.tour import STEPS, after, steps_at
from webapp.views.place import PLACES
from webapp.views.tour import cut
from webapp.words import Saying, say


def test_nine_steps_from_guest_to_sign_out_everywhere() -> None:
    """There are nine in order, each with something to press, to see and to say."""
    assert [step.number for step in STEPS] == list(range(1, 10))
    for step in STEPS:
        assert step.moves, step.title
        assert step.tell
        assert all(move.shows for move in step.moves), step.title
    assert [after(step) for step in STEPS] == [*STEPS[1:], None]


def test_the_written_tour_is_the_same() -> None:
    """docs/walkthrough holds the steps as they are; `python -m tests.walkthrough --write` mends."""
    page = walkthrough.PAGE.read_text(encoding="utf-8")
    assert walkthrough.renewed(page) == page


def test_a_page_without_its_marks() -> None:
    """A page whose marks are lost is not written over."""
    with pytest.raises(ValueError, match="marks"):
        walkthrough.renewed("nothing")


def test_the_people_are_the_demos_own() -> None:
    """Who signs in on the tour is one of the demo's people, with the right password."""
    demo = load_stack().demo
    known = {user.email for user in demo.users if not user.must_change_password}
    entered = [move.act for step in STEPS for move in step.moves if move.act.kind == "sign_in"]
    assert entered
    for act in entered:
        assert act.name in known
        assert act.at == demo.password


def test_every_step_has_a_panel() -> None:
    """Each step begins on a main place, and stands in the panel of the pages it leads over."""
    for step in STEPS:
        assert step.place in PLACES
        assert step.pages
        for here, signed_in in step.pages:
            assert here in PLACES
            assert step in steps_at(here, signed_in)
    assert steps_at("", True) == ()


def test_sentence_and_act_say_the_same() -> None:
    """What a test presses stands in the sentence that people read."""
    for step in STEPS:
        for move in step.moves:
            assert move.act.name in str(move.do)
            assert move.act.at in str(move.do)


def test_what_is_to_be_seen_is_told() -> None:
    """A status that a call must show stands in the sentence as well."""
    for step in STEPS:
        for move in step.moves:
            if move.act.kind in ("call", "call_next", "cell"):
                assert re.match(r"\d{3}\b", str(move.see)), move.see
                assert move.shows[0] == str(move.see)[:3]


def test_a_sentence_is_cut_at_its_values() -> None:
    """The panel gets words and the names of values by turns, in whatever order a language has."""
    assert cut("Press %(name)s at %(at)s.") == [("Press ", "name"), (" at ", "at"), (".", "")]
    assert cut("Nothing.") == [("Nothing.", "")]


def test_markdown_of_a_sentence() -> None:
    """Names of the page are strong; what is typed is code."""
    saying = say("At %(path)s press %(caller)s.", path="/vip", caller=say("guest"))
    assert isinstance(saying, Saying)
    assert walkthrough.told(saying) == "At `/vip` press **guest**."
