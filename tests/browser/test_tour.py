"""The guided tour, followed from its own data: what it says to press is there, and what to see."""

import pytest
from playwright.sync_api import Error, Locator

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import DEPTHS, Visitor
from webapp.tour import STEPS, Act, Move, Step
from webapp.tour.moves import ALL_ENDPOINTS, call, place, press
from webapp.words import say


def test_the_tour_leads_from_the_door_to_the_way_out(visitor: Visitor) -> None:
    """All nine steps, one after the other, as the panel and the printed page tell them."""
    visitor.go("/")
    for step in STEPS:
        told = False
        for number, move in enumerate(step.moves, 1):
            told |= _in_panel(visitor, step)
            _follow(visitor, move)
            told |= _in_panel(visitor, step)
            visitor.shot(f"tour-{step.number}-{number}")
        assert told, f"step {step.number} stands in no panel on its way"


def test_a_step_that_no_longer_matches_fails(new_visitor: NewVisitor) -> None:
    """A button that is gone, a status that changed and words that are not there are each seen."""
    visitor = new_visitor(folder="tour")
    visitor.page.set_default_timeout(2_000)
    seen = say("It is there.")
    for wrong in (
        press(say("Try as a ghost"), seen, "API"),
        place(say("Treasury"), seen, "API"),
        place(say("API"), seen, "There is no such sentence."),
        call("/test/public", say("nobody"), seen, "200"),
    ):
        visitor.go("/api" if wrong.act.kind == "call" else "/")
        with pytest.raises((AssertionError, Error)):
            _follow(visitor, wrong)


def test_the_next_step_is_one_press_away(new_visitor: NewVisitor, scripts: bool) -> None:
    """The panel is folded until somebody wants it; its link leads on to an unfolded one."""
    visitor = new_visitor(scripts)
    visitor.sign_in(visitor.demo.person("viewer"), path="/login?next=/session")
    panel = visitor.page.get_by_role("complementary", name="Guided tour")
    sheet = panel.locator(".tour-sheet")
    assert sheet.is_hidden()
    panel.locator("summary").click()
    assert sheet.is_visible()
    visitor.inspect()
    visitor.shot("tour-panel")
    with visitor.page.expect_navigation():
        panel.get_by_role("link", name="Next, step 5").click()
    assert visitor.path == "/credentials#tour"
    assert sheet.is_visible()


def test_the_whole_tour_on_paper(new_visitor: NewVisitor) -> None:
    """The page to print holds all nine steps, and on paper nothing of the frame."""
    visitor = new_visitor(folder="tour")
    visitor.go("/tour")
    assert visitor.page.locator(".tour-printed").count() == len(STEPS)
    for step in STEPS:
        assert step.title in visitor.text
        assert step.tell in visitor.text
    visitor.shot("printed-screen")
    visitor.page.emulate_media(media="print")
    assert visitor.page.get_by_role("navigation").count() == 0
    visitor.shot("printed-paper")


def _follow(visitor: Visitor, move: Move) -> None:
    """Do what a move says and see what it promises."""
    _DOES[move.act.kind](visitor, move.act)
    main = " ".join(visitor.page.get_by_role("main").inner_text().split())
    for words in move.shows:
        assert words in main, (move.do, words)
    if move.act.kind in ("call", "call_next", "cell"):
        assert visitor.title.startswith(move.shows[0]), (move.do, visitor.title)


def _in_panel(visitor: Visitor, step: Step) -> bool:
    """Whether the panel of the page that is open holds this step."""
    panel = visitor.page.get_by_role("complementary", name="Guided tour")
    return panel.count() > 0 and str(step.title) in (panel.text_content() or "")


def _press(visitor: Visitor, act: Act) -> None:
    visitor.press(act.name)


def _place(visitor: Visitor, act: Act) -> None:
    places = visitor.page.get_by_role("navigation", name="Main")
    visitor.press(places.get_by_role("link", name=act.name, exact=True))


def _open(visitor: Visitor, act: Act) -> None:
    visitor.go(act.name)


def _unfold(visitor: Visitor, act: Act) -> None:
    folded = visitor.page.get_by_role("main").locator("summary", has_text=act.name)
    _visible(folded).click()
    visitor.inspect()


def _call(visitor: Visitor, act: Act) -> None:
    group = visitor.page.get_by_role("group", name=f"Call {act.at} as", exact=True)
    visitor.press(_visible(group.get_by_role("button", name=act.name)))


def _call_next(visitor: Visitor, act: Act) -> None:
    visitor.press(ALL_ENDPOINTS)
    _call(visitor, act)


def _cell(visitor: Visitor, act: Act) -> None:
    matrix = visitor.page.locator("table.matrix")
    heads = matrix.locator("thead th").all_inner_texts()
    path = visitor.page.get_by_text(act.at, exact=True)
    row = matrix.get_by_role("row").filter(has=path).first
    visitor.press(row.get_by_role("cell").nth(heads.index(act.name) - 1).get_by_role("button"))


def _sign_in(visitor: Visitor, act: Act) -> None:
    assert visitor.asked_to_sign_in, visitor.page.url
    visitor.fill(username=act.name, password=act.at)
    visitor.press("Sign in")


def _leave(visitor: Visitor, act: Act) -> None:
    visitor.sign_out(next(depth for depth, name in DEPTHS.items() if name == act.name))


def _choose(visitor: Visitor, act: Act) -> None:
    visitor.page.get_by_role("main").get_by_label(act.at).select_option(label=act.name)


def _fill(visitor: Visitor, act: Act) -> None:
    visitor.page.get_by_role("main").get_by_label(act.at).fill(act.name)


def _visible(found: Locator) -> Locator:
    return found.locator("visible=true").first


_DOES = {
    "press": _press,
    "place": _place,
    "open": _open,
    "unfold": _unfold,
    "call": _call,
    "call_next": _call_next,
    "cell": _cell,
    "sign_in": _sign_in,
    "leave": _leave,
    "choose": _choose,
    "fill": _fill,
}
