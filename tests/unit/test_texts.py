"""Every sentence of our pages in every language: none missing, none left over, none half marked."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.texts import PLACE, ROOT, lacking, sentences
from webapp.views.templates import MARK
from webapp.views.tongues import ENGLISH, TEXTS, TONGUES, catalogue

OTHERS = [code for code in TONGUES if code != ENGLISH]
# What is called the same in every language: names and words of protocols.
NAMES = {
    "Admin",
    "Portico",
    "PORTICO",
    "Managed",
    "Login",
    "API",
    "Gateway",
    "AWS",
    "Cognito",
    "userInfo",
    "ms",
}
# Words of the page that nobody reads: a macro that prints the name of a class.
UNREAD = {"components/badge.html": {"quiet", "info", "ok", "waiting", "refused"}}
_CODE = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.S)
_SPOKEN_ATTRIBUTE = re.compile(r'\s(?:aria-label|alt|title|placeholder|content)="([^"]*)"')
# Two words, or one with a capital: names of classes, filters and files are neither.
_SENTENCE = re.compile(r"[A-Z][a-z]+|[a-z]+ [a-z]+ [a-z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
# Values of `content` and the like that are no sentences.
_MACHINE = {
    "website",
    "summary_large_image",
    "width=device-width, initial-scale=1",
    "light dark",
    "#f4f5f3",
    "#0d121b",
}


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_is_missing(code: str) -> None:
    """Each catalogue has every sentence of templates and source; the failure names their places."""
    assert lacking(code) == {}


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_is_left_over(code: str) -> None:
    """What nobody says any more leaves the catalogue."""
    assert sorted(set(catalogue(code)) - set(sentences())) == []


@pytest.mark.parametrize("code", OTHERS)
def test_values_stand_in_both(code: str) -> None:
    """A translation takes exactly the values of its sentence, is not empty, and ends as it does."""
    for said, text in catalogue(code).items():
        assert sorted(PLACE.findall(said)) == sorted(PLACE.findall(text)), said
        assert text.strip() == text, said
        assert text, said
        assert (said[-1] in ".:?") == (text[-1] in ".:?"), said
        assert not re.search("[<>&]", text), said


@pytest.mark.parametrize("code", OTHERS)
def test_quotes_and_spaces_of_the_language(code: str) -> None:
    """Quotes, apostrophes and the spaces before signs are those of the language."""
    for said, text in catalogue(code).items():
        assert "'" not in text, said
        assert '"' not in text, said
        if code == "fr":
            assert not re.search(r"[^\u202f\s][;!?](?:\s|$)| [;:!?]|«[^\u00a0]|[^\u00a0]»", text), (
                said
            )


def test_a_catalogue_for_each_language() -> None:
    """Catalogues and languages are the same list."""
    assert sorted(file.stem for file in TEXTS.iterdir()) == sorted(OTHERS)


def templates() -> list[str]:
    """The names of all templates."""
    folder = ROOT / "templates"
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*.html"))


@pytest.mark.parametrize("name", templates())
def test_nothing_is_said_unmarked(name: str) -> None:
    """Outside of marks a template holds no word but names: whatever is added must be marked."""
    source = _CODE.sub(" ", (ROOT / "templates" / name).read_text())
    texts = [text for text in _SPOKEN_ATTRIBUTE.findall(source) if text not in _MACHINE]
    texts.append(re.sub(r"<[^>]*>", " ", source))
    words = {word for text in texts for word in _WORD.findall(text)}
    assert sorted(words - NAMES - UNREAD.get(name, set())) == []


@pytest.mark.parametrize("name", templates())
def test_no_component_is_given_unmarked_words(name: str) -> None:
    """A sentence handed to a component is marked like one that stands by itself."""
    tree = Environment(autoescape=True).parse((ROOT / "templates" / name).read_text())
    marked = {
        id(call.args[0])
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == MARK
    }
    marked |= {id(pair.key) for pair in tree.find_all(nodes.Pair)}
    given = [
        constant.value
        for constant in tree.find_all(nodes.Const)
        if isinstance(constant.value, str) and id(constant) not in marked
    ]
    assert [text for text in given if _SENTENCE.match(text) and text not in NAMES] == []


def test_paths_exist() -> None:
    """The collection looked where templates and source are."""
    assert isinstance(TEXTS, Path)
    assert len(sentences()) > 250
