"""Each check finds what is planted for it, and finds nothing in a clean house."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import constructs, shape, walls
from tests.architecture.source import Source, read

Check = Callable[[list[Source]], list[str]]

CLEAN = {
    "wsgi.py": "from webapp.app import create_app\n\napp = create_app()\n",
    "webapp/__init__.py": "",
    "webapp/app.py": (
        "from flask import Flask\n\nfrom webapp import services\nfrom webapp.views import home\n"
    ),
    "webapp/services.py": "import boto3\n\nfrom webapp.settings import Settings\n",
    "webapp/settings.py": "from webapp.errors import SettingsProblems\n",
    "webapp/errors.py": '"""Errors."""\n',
    "webapp/views/__init__.py": '"""Names."""\n\nfrom webapp.views.home import make_blueprint\n',
    "webapp/views/home.py": (
        "from flask import Blueprint\n\nfrom webapp.errors import BadInput\n\n\n"
        "def make_blueprint(signin):\n"
        '    pages = Blueprint("home", __name__)\n\n'
        '    @pages.get("/")\n    @signin.needed\n    def home():\n        return ""\n\n'
        "    return pages\n"
    ),
    "webapp/outbound.py": (
        "import requests\n\nclient = requests.Session()\n"
        'client.get("https://a.example", allow_redirects=False, verify=True)\n'
    ),
    "tests/test_home.py": 'def test_home():\n    """The page answers."""\n',
}

LONG = "x = 1\n"

PLANTED: list[tuple[Check, str, str, str]] = [
    (walls.arrows, "webapp/errors.py", "from webapp import views\n", "may not import"),
    (walls.arrows, "webapp/errors.py", "from .views import home\n", "may not import"),
    (walls.arrows, "webapp/store/base.py", "import webapp.store.sqlite\n", "may not import"),
    (walls.arrows, "infra/local/demo.py", "from webapp.app import create_app\n", "may not import"),
    (walls.arrows, "infra/functions/api/x.py", "from infra import stack\n", "may not import"),
    (walls.arrows, "webapp/sessions.py", "from tests import parts\n", "may not import"),
    (
        walls.arrows,
        "webapp/records.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from webapp import signin\n",
        "may not import",
    ),
    (walls.arrows, "webapp/cellar.py", "from webapp import errors\n", "no row"),
    (walls.rows_missing, "webapp/cellar.py", "x = 1\n", "no row"),
    (walls.circles, "webapp/errors.py", "from webapp import settings\n", "circle"),
    (walls.circles, "webapp/errors.py", "import webapp.views.home\n", "circle"),
    (walls.libraries, "webapp/signin.py", "import flask\n", "flask does not belong"),
    (walls.libraries, "webapp/guard.py", "from authlib.jose import jwt\n", "authlib does not"),
    (walls.libraries, "webapp/api/client.py", "import boto3\n", "boto3 does not"),
    (walls.libraries, "webapp/credentials/x.py", "import botocore.session\n", "botocore does not"),
    (walls.libraries, "webapp/store/base.py", "import sqlite3\n", "sqlite3 does not"),
    (walls.libraries, "webapp/services.py", "import ministack\n", "ministack does not"),
    (walls.libraries, "webapp/api/client.py", "import httpx\n", "no row"),
    (walls.libraries, "webapp/api/client.py", "import urllib.request\n", "urllib.request does"),
    (walls.libraries, "webapp/observe.py", "from subprocess import run\n", "subprocess does"),
    (walls.late_imports, "webapp/signin.py", "def f():\n    import json\n", "inside a function"),
    (walls.settings_seen, "webapp/guard.py", "from webapp.settings import Settings\n", "Settings"),
    (walls.settings_seen, "webapp/guard.py", "from webapp import settings\n", "Settings"),
    (shape.names, "webapp/utils.py", "", "says nothing"),
    (shape.names, "webapp/store/common/__init__.py", "", "says nothing"),
    (shape.names, "tests/web/http_helpers.py", "", "says nothing"),
    (shape.sizes, "webapp/guard.py", LONG * 251, "251 lines"),
    (shape.sizes, "webapp/guard.py", "def f():\n" + "    x = 1\n" * 60, "f has 61 lines"),
    (
        shape.sizes,
        "webapp/views/home.py",
        "def make_blueprint():\n" + "    x = 1\n" * 150,
        "make_blueprint has 151 lines",
    ),
    (shape.wishes, "webapp/guard.py", LONG * 201, "201 lines"),
    (shape.sizes_of_tests, "tests/conftest.py", LONG * 401, "401 lines"),
    (shape.docstrings, "tests/test_home.py", "def test_home():\n    pass\n", "one sentence"),
    (
        shape.docstrings,
        "tests/test_home.py",
        'class TestX:\n    async def test_home(self):\n        """No full stop"""\n',
        "one sentence",
    ),
    (shape.init_files, "webapp/store/__init__.py", "def f():\n    pass\n", "hands names on"),
    (constructs.flask_magic, "webapp/guard.py", "from flask import current_app\n", "current_app"),
    (constructs.flask_magic, "webapp/guard.py", "import flask\nflask.current_app.x\n", "current"),
    (
        constructs.guards_nothing,
        "webapp/views/home.py",
        '@needed\n@pages.get("/")\ndef home():\n    return ""\n',
        "above the route of home",
    ),
    (constructs.open_ends, "webapp/guard.py", "# TO" + "DO\n", "open end"),
    (
        constructs.open_ends,
        "webapp/guard.py",
        "def f():\n    raise NotImplementedError\n",
        "NotImplementedError",
    ),
    (constructs.open_ends, "tests/test_home.py", "import pytest\npytest.skip()\n", "skip without"),
    (constructs.redirects, "webapp/outbound.py", 'import requests\nrequests.get("x")\n', "follow"),
    (
        constructs.redirects,
        "webapp/outbound.py",
        'import requests\nself._session.request("GET", "x", timeout=1)\n',
        "follows",
    ),
    (
        constructs.redirects,
        "webapp/outbound.py",
        'import urllib3\npool.urlopen("GET", "/")\n',
        "fo",
    ),
    *[
        (constructs.forbidden, "webapp/guard.py", code + "\n", "webapp/guard.py:1: ")
        for code in (
            "import pickle",
            "from pickle import loads",
            "yaml.load(text)",
            "from yaml import unsafe_load",
            "client.get(address, verify=False)",
            "Markup = markupsafe.Markup",
            "from markupsafe import Markup",
            "subprocess.run(line, shell=True)",
            "hashlib.md5(data)",
            'hashlib.new("MD5", data)',
            "from hashlib import md5",
            "eval(text)",
            'importlib.import_module("webapp.views")',
            "Environment(autoescape=False)",
            "context.verify_mode = ssl.CERT_NONE",
            "context.check_hostname = False",
        )
    ],
]

CHECKS = list(dict.fromkeys(check for check, *_ in PLANTED))


def _build(root: Path, files: dict[str, str]) -> list[Source]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return read(root, "webapp", "infra", "tests", "wsgi.py")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_clean_house(check: Check, tmp_path: Path) -> None:
    """A house that keeps the rules gives no finding."""
    sources = _build(tmp_path, CLEAN)
    assert check([s for s in sources if s.name.startswith(("webapp", "wsgi"))]) == []


@pytest.mark.parametrize(("check", "path", "text", "expected"), PLANTED)
def test_planted(check: Check, path: str, text: str, expected: str, tmp_path: Path) -> None:
    """Each planted violation is found, named by its file."""
    found = check(_build(tmp_path, CLEAN | {path: text}))
    assert any((expected in line and path in line) or "circle" in line for line in found), found


def test_circle_in_table() -> None:
    """A table that draws a circle is refused, between rows of different depth too."""
    assert walls.circle_in_table({"a.x": ("a.y",), "a.y": ("a.z",), "a.z": ("a.x.inner",)})
    assert not walls.circle_in_table({"a.x": ("a.y",), "a.y": ("a.z",), "a.z": ()})


def test_excuses() -> None:
    """An excuse covers one construct of one module, and is found when it outlives its cause."""
    excuse = {("webapp.guard", "calls eval"): "a reason"}
    source = Source("webapp.guard", "webapp/guard.py", "", ast.parse("eval(x)"), False)
    other = Source("webapp.other", "webapp/other.py", "", ast.parse("eval(x)"), False)
    assert constructs.forbidden([source], excuse) == []
    assert constructs.forbidden([other], excuse)
    assert constructs.stale_excuses([source], excuse) == []
    assert constructs.stale_excuses([other], excuse)


@pytest.mark.parametrize(
    "text",
    [
        "{{ name | safe }}",
        "{{ name|safe }}",
        "{% autoescape false %}",
        '<a href="/" onclick="go()">',
        "<script>go()</script>",
        "<style>a{}</style>",
        '<p style="color:red">',
    ],
)
def test_SC_02_planted_template(text: str, tmp_path: Path) -> None:
    """Each forbidden construct in a template is found."""
    (tmp_path / "templates").mkdir()
    page = tmp_path / "templates" / "page.html"
    page.write_text("<p class='a'>{{ name }}</p><script src='/a.js'></script>")
    assert constructs.in_templates(tmp_path, "templates") == []
    page.write_text(text)
    assert constructs.in_templates(tmp_path, "templates")
