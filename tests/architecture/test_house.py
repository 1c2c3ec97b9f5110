"""The house as it stands keeps its walls. `test_planted.py` proves that each check can fail."""

from pathlib import Path

import pytest

from tests.architecture import constructs, shape, walls
from tests.architecture.source import Source, read

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def program() -> list[Source]:
    """What runs: the application, the AWS side, the entry point."""
    return read(ROOT, "webapp", "infra", "wsgi.py")


@pytest.fixture(scope="module")
def tests() -> list[Source]:
    """What tests it."""
    return read(ROOT, "tests")


@pytest.fixture(scope="module")
def application(program: list[Source]) -> list[Source]:
    """The web application alone."""
    return [source for source in program if not source.name.startswith("infra")]


def _nothing(found: list[str]) -> None:
    assert not found, "\n" + "\n".join(found)


def test_something_is_looked_at(program: list[Source], tests: list[Source]) -> None:
    """The checks below see the project, not an empty folder."""
    assert {"webapp.errors", "infra.stack"} <= {source.name for source in program}
    assert "tests.architecture.test_house" in {source.name for source in tests}


def test_every_arrow_is_in_the_table(program: list[Source]) -> None:
    """Modules import only what the table of arrows lets them."""
    _nothing(walls.arrows(program))


def test_every_module_has_a_row(program: list[Source]) -> None:
    """A new room gets its row before it gets its second import."""
    _nothing(walls.rows_missing(program))


def test_table_has_no_circle() -> None:
    """The table of arrows would not allow a circle of rooms."""
    _nothing(walls.circle_in_table())


def test_no_circle(program: list[Source], tests: list[Source]) -> None:
    """No module imports itself by a detour."""
    _nothing(walls.circles(program))
    _nothing(walls.circles(tests))


def test_every_library_is_in_its_room(program: list[Source]) -> None:
    """Outside libraries are imported only where they live."""
    _nothing(walls.libraries(program))


def test_no_import_inside_a_function(program: list[Source]) -> None:
    """Imports stand at the top, where a circle would show."""
    _nothing(walls.late_imports(program))


def test_settings_are_unpacked_in_one_place(application: list[Source]) -> None:
    """Rooms are handed values, never Settings."""
    _nothing(walls.settings_seen(application))


def test_no_current_app(application: list[Source]) -> None:
    """No room reaches for the running application."""
    _nothing(constructs.flask_magic(application))


def test_no_guard_above_a_route(application: list[Source]) -> None:
    """The route's decorator is the outermost, so that what guards a view guards it."""
    _nothing(constructs.guards_nothing(application))


def test_names_say_something(program: list[Source], tests: list[Source]) -> None:
    """No module is a drawer for anything."""
    _nothing(shape.names(program + tests))


def test_sizes(program: list[Source]) -> None:
    """Modules and functions stay within the hard limit."""
    _nothing(shape.sizes(program))


def test_sizes_of_tests(tests: list[Source]) -> None:
    """Test modules stay readable too."""
    _nothing(shape.sizes_of_tests(tests))


def test_init_files(program: list[Source]) -> None:
    """Packages are empty or hand names on."""
    _nothing(shape.init_files(program))


def test_every_test_says_what_holds(tests: list[Source]) -> None:
    """Each test has one sentence that says what holds."""
    _nothing(shape.docstrings(tests))


def test_no_open_ends(program: list[Source], tests: list[Source]) -> None:
    """What is left undone or left out carries its reason on the line."""
    _nothing(constructs.open_ends(program + tests))


def test_SC_02_no_forbidden_construct(program: list[Source], tests: list[Source]) -> None:
    """No unpickling, no unverified TLS, no shell, no md5, no string declared safe."""
    _nothing(constructs.forbidden(program + tests))


def test_no_excuse_outlives_its_cause(program: list[Source], tests: list[Source]) -> None:
    """What is excused in the table is still written."""
    _nothing(constructs.stale_excuses(program + tests))


def test_SC_02_redirects_are_never_left_to_the_default(program: list[Source]) -> None:
    """Every call of an HTTP client says that it follows no redirect."""
    _nothing(constructs.redirects(program))


def test_SC_02_templates_escape() -> None:
    """No template switches escaping off or holds what the content policy refuses."""
    _nothing(constructs.in_templates(ROOT, "templates", "infra"))
