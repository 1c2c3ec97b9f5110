"""Checks on imports: arrows, circles, libraries, late imports. Each returns its findings."""

import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from tests.architecture.source import Import, Source, fits, imports, longest
from tests.architecture.table import ARROWS, LATE_IMPORTS, LIBRARIES, MAY_SEE_SETTINGS, Table

TOPS = ("webapp", "infra", "tests", "wsgi", "bench")


def arrows(sources: list[Source], table: Table = ARROWS) -> list[str]:
    """Imports within the project that the table does not draw, and modules without a row."""
    found = []
    for source, one in _all_imports(sources):
        if one.target.split(".")[0] not in TOPS:
            continue
        row = longest(source.name, table)
        if row is None:
            found.append(f"{source.path}: no row in the table of arrows")
        elif not _drawn(source.name, row, one.target, table):
            found.append(f"{source.at(one.node)}: {source.name} may not import {one.target}")
    return found


def _drawn(importer: str, row: str, target: str, table: Table) -> bool:
    is_room = row.count(".") == 1
    if is_room and fits(target, row):
        return True
    # An empty __init__ above the importer draws no arrow of its own.
    return fits(importer, target) or any(fits(target, allowed) for allowed in table[row])


def rows_missing(sources: list[Source], table: Table = ARROWS) -> list[str]:
    """Modules, even those that import nothing, that the table does not know."""
    return [
        f"{source.path}: no row in the table of arrows"
        for source in sources
        if not (source.is_package and not source.tree.body) and longest(source.name, table) is None
    ]


def circle_in_table(table: Table = ARROWS) -> list[str]:
    """A circle that the table itself would allow."""
    graph = {
        row: {longest(to, table) or to for to in targets} - {row} for row, targets in table.items()
    }
    return _circle(graph)


def circles(sources: list[Source]) -> list[str]:
    """A circle of imports between modules, by way of packages included."""
    known = {source.name for source in sources}
    graph: dict[str, set[str]] = {name: set() for name in known}
    for source, one in _all_imports(sources):
        # Importing a.b.c runs a and a.b first, unless the importer lies inside them already.
        parts = one.target.split(".")
        steps = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
        graph[source.name] |= {
            step
            for step in steps & known
            if step != source.name and (step == one.target or not fits(source.name, step))
        }
    return _circle(graph)


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return ["a circle: " + " <- ".join(error.args[1])]
    return []


def libraries(sources: list[Source], table: Table = LIBRARIES) -> list[str]:
    """Libraries outside their room, and libraries that no room was given."""
    found = []
    for source, one in _all_imports(sources):
        top = one.target.split(".")[0]
        name = one.target
        row = longest(name, table)
        if top in TOPS or (row is None and top in sys.stdlib_module_names):
            continue
        if row is None:
            found.append(f"{source.at(one.node)}: {top} has no row in the table of libraries")
        elif not any(fits(source.name, room) for room in table[row]):
            found.append(f"{source.at(one.node)}: {row} does not belong in {source.name}")
    return found


def late_imports(
    sources: list[Source], excused: Mapping[tuple[str, str], str] = LATE_IMPORTS
) -> list[str]:
    """Imports inside a function, which is how circles hide."""
    return [
        f"{source.at(one.node)}: imports {one.target} inside a function"
        for source, one in _all_imports(sources)
        if one.late and (source.name, one.target) not in excused
    ]


def settings_seen(sources: list[Source]) -> list[str]:
    """Modules that see Settings and should be handed values instead."""
    return [
        f"{source.at(one.node)}: {source.name} imports Settings; hand it the values"
        for source, one in _all_imports(sources)
        if fits(one.target, "webapp.settings")
        and not any(fits(source.name, room) for room in MAY_SEE_SETTINGS)
    ]


def _all_imports(sources: list[Source]) -> list[tuple[Source, Import]]:
    known = {source.name for source in sources} | set(LIBRARIES) | set(ARROWS)
    return [(source, one) for source in sources for one in imports(source, known)]
