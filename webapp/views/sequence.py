"""Where everything stands in a sequence diagram. Lengths are units of the drawing's view box."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.views.steps import LANES, Step
from webapp.words import Saying

LANE_WIDTH, ROW_HEIGHT = 196, 50
HEAD_HEIGHT, FOOT_HEIGHT = 48, 16
LOOP_WIDTH, LOOP_HEIGHT = 30, 16
TIP = 7


@dataclass(frozen=True, slots=True)
class Line:
    """A part's line of life, with its name on top."""

    x: int
    name: Saying


@dataclass(frozen=True, slots=True)
class Arrow:
    """One step: the number of its row, a path with its tip, and where its words stand."""

    number: int
    step: Step
    y: int
    path: str
    tip: str
    text_x: int
    centred: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole drawing."""

    width: int
    height: int
    lines: tuple[Line, ...]
    arrows: tuple[Arrow, ...]


def drawn(steps: Sequence[Step]) -> Drawing:
    """The steps as a diagram: parts side by side, time downwards."""
    places = {lane: LANE_WIDTH // 2 + LANE_WIDTH * n for n, (lane, _) in enumerate(LANES)}
    return Drawing(
        width=LANE_WIDTH * len(LANES),
        height=HEAD_HEIGHT + ROW_HEIGHT * len(steps) + FOOT_HEIGHT,
        lines=tuple(Line(places[lane], name) for lane, name in LANES),
        arrows=tuple(
            _arrow(number, step, *(places[lane] for lane in step.between))
            for number, step in enumerate(steps, 1)
        ),
    )


def _arrow(number: int, step: Step, source: int, target: int) -> Arrow:
    y = HEAD_HEIGHT + ROW_HEIGHT * number - 14
    if source == target:
        path = f"M{source} {y - LOOP_HEIGHT}h{LOOP_WIDTH}v{LOOP_HEIGHT}H{source + 1}"
        return Arrow(number, step, y, path, _tip(source, y, -1), source + LOOP_WIDTH + 8, False)
    way = 1 if target > source else -1
    path = f"M{source} {y}H{target - way}"
    return Arrow(number, step, y, path, _tip(target, y, way), (source + target) // 2, True)


def _tip(x: int, y: int, way: int) -> str:
    return f"M{x - way * TIP} {y - 4}L{x - way} {y}L{x - way * TIP} {y + 4}"
