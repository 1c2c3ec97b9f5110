"""A response as a browser has it, and the page in it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib
from html5lib.constants import E

XHTML = "{http://www.w3.org/1999/xhtml}"


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, how, and the fields that it would send untouched."""

    method: str
    action: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Response:
    """One answer: `url` is what was asked for, `sent_cookies` the names that went along."""

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    sent_cookies: frozenset[str] = frozenset()

    def header(self, name: str) -> str | None:
        """All values of a header, joined as HTTP joins them, or None."""
        values = self.header_values(name)
        return ", ".join(values) if values else None

    def header_values(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def location(self) -> str:
        """The absolute address of a redirect; AssertionError if this is none."""
        raw = self.header("Location")
        if raw is None or self.status not in (301, 302, 303, 307, 308):
            raise AssertionError(f"{self}: not a redirect\n{self.text[:2000]}")
        return urljoin(self.url, raw)

    @property
    def text(self) -> str:
        """The body as UTF-8; AssertionError if it is not."""
        return self.body.decode("utf-8")

    def json(self) -> Any:
        """The body as JSON; AssertionError if it is announced as anything else."""
        if (self.header("Content-Type") or "").partition(";")[0] != "application/json":
            raise AssertionError(f"{self}: not JSON but {self.header('Content-Type')}")
        return json.loads(self.body)

    @property
    def is_html(self) -> bool:
        """Whether a page came, as its content type says."""
        return (self.header("Content-Type") or "").lower().startswith("text/html")

    @cached_property
    def page(self) -> "Page":
        """The page in it."""
        return Page(self.url, self.text)

    def __str__(self) -> str:
        return f"{self.method} {self.url[:200]} -> {self.status}"


class Page:
    """A parsed HTML page, with what tests ask of it."""

    def __init__(self, url: str, markup: str) -> None:
        self.url = url
        self.markup = markup
        parser = html5lib.HTMLParser()
        self.root: Element = parser.parse(markup)
        self.errors = [
            f"line {line}: {E[code] % values}" for (line, _column), code, values in parser.errors
        ]

    def elements(self, *names: str) -> Iterator[Element]:
        """Elements by name, in the order of the page; all of them when none is named."""
        for element in self.root.iter():
            if isinstance(element.tag, str) and (not names or local_name(element) in names):
                yield element

    @property
    def title(self) -> str:
        """The title's text; a drawing (SVG) in the page has titles of its own."""
        return " ".join(text_of(element) for element in self.root.iter(f"{XHTML}title"))

    @property
    def heading(self) -> str:
        """The h1's text."""
        return " ".join(text_of(element) for element in self.elements("h1"))

    @property
    def text(self) -> str:
        """What a person reads: the body's text, with every run of white space as one space."""
        return " ".join(text_of(element) for element in self.elements("body"))

    @property
    def links(self) -> list[str]:
        """The absolute targets of all links, in order."""
        found = (element.get("href") for element in self.elements("a"))
        return [urljoin(self.url, href) for href in found if href is not None]

    @property
    def forms(self) -> list[Form]:
        """All forms, in order."""
        return [
            Form(
                method=(element.get("method") or "get").lower(),
                action=urljoin(self.url, element.get("action") or self.url),
                fields=_fields(element),
            )
            for element in self.elements("form")
        ]

    def form(self, path: str, **fields: str) -> Form:
        """The one form that goes to this path with these fields; AssertionError otherwise."""
        found = [
            form
            for form in self.forms
            if urlsplit(form.action).path == path and fields.items() <= form.fields.items()
        ]
        if len(found) != 1:
            raise AssertionError(f"{self.url}: {len(found)} forms to {path} with {fields}")
        return found[0]


def local_name(element: Element) -> str:
    """An element's name without its name space."""
    return element.tag.rpartition("}")[2]


def text_of(element: Element) -> str:
    """The text in an element and below it, white space collapsed."""
    return " ".join("".join(element.itertext()).split())


def _fields(form: Element) -> dict[str, str]:
    fields: dict[str, str] = {}
    for element in form.iter():
        name = element.get("name")
        if not isinstance(element.tag, str) or not name or element.get("disabled") is not None:
            continue
        kind = local_name(element)
        if kind == "textarea":
            fields[name] = "".join(element.itertext())
        elif kind == "select":
            fields[name] = _chosen(element)
        elif kind == "input":
            sort = (element.get("type") or "text").lower()
            if sort in ("checkbox", "radio") and element.get("checked") is None:
                continue
            if sort not in ("submit", "button", "image", "reset"):
                fields[name] = element.get("value") or ""
    return fields


def _chosen(select: Element) -> str:
    options = list(select.iter(f"{XHTML}option"))
    chosen = [option for option in options if option.get("selected") is not None] or options[:1]
    return next((o.get("value") or text_of(o) for o in chosen), "")
