"""Inspects every HTML page that a test fetches, whatever the test is about."""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

from tests.doubles.response import Page, Response, local_name, text_of

# A compact JWS or JWE begins with the base64url of `{"`; a random text hardly decodes to JSON.
TOKEN = re.compile(r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,})")
URL_ATTRIBUTES = ("href", "src", "action", "formaction", "poster", "data", "srcset", "ping")
NAMELESS = {"hidden", "submit", "button", "image", "reset"}
CODE_DIRECTIVES = {"script-src", "style-src", "object-src", "default-src"}
REDIRECTS = {301, 302, 303, 307, 308}
FAULT_LIMIT = 20
# With a choice of language, or a sign-in begun, nobody is signed in yet.
ANYBODYS_COOKIES = {"portico-signin", "__Host-portico-signin"}


def inspect(response: Response, session_cookies: frozenset[str] | None = None) -> None:
    """Raise AssertionError with every fault of an HTML page and of the headers it came with.

    `session_cookies` are the names whose presence in the request means that there was a session;
    without them any cookie does but that of strangers. Anything but HTML passes.
    """
    if not response.is_html:
        return
    faults = list(_headers(response, session_cookies))
    # A redirect may come without a page, an answer may not.
    if response.body or response.status not in REDIRECTS:
        page = response.page
        faults += page.errors[:FAULT_LIMIT]
        for check in (_skeleton, _forms, _controls, _nothing_inline, _addresses):
            faults += check(page)
        if not is_shown_on_demand(response):
            faults += _secrets(response)
    if faults:
        raise AssertionError(f"{response}: the page has faults:\n- " + "\n- ".join(faults))


def is_shown_on_demand(response: Response) -> bool:
    """Whether it is the one page that exists to show a token, by an operator's own switch."""
    return response.method == "POST" and urlsplit(response.url).path == "/session/token"


def _skeleton(page: Page) -> Iterator[str]:
    if not page.title:
        yield "no title"
    if not page.root.get("lang"):
        yield "no lang on html"
    headings = list(page.elements("h1"))
    if len(headings) != 1 or not text_of(headings[0]):
        yield f"{len(headings)} h1 where one with text belongs"
    ids = Counter(element.get("id") for element in page.elements() if element.get("id") is not None)
    for name, count in ids.items():
        if count > 1 or not name:
            yield f"id {name!r} stands {count} times"
    for element in page.elements():
        for attribute in ("aria-labelledby", "aria-describedby", "aria-controls"):
            for name in (element.get(attribute) or "").split():
                if name not in ids:
                    yield f"{attribute} names no id: {name!r}"


def _forms(page: Page) -> Iterator[str]:
    for form in page.forms:
        if not _is_local(page, form.action):
            yield f"form goes elsewhere: {form.action}"
        if form.method == "post" and not form.fields.get("csrf_token"):
            yield f"POST form to {form.action} without csrf_token"
        if form.method == "get" and "csrf_token" in form.fields:
            yield f"GET form to {form.action} would put csrf_token into the address"


def _controls(page: Page) -> Iterator[str]:
    controls = {
        element.get("id"): element
        for element in page.elements("input", "select", "textarea", "output", "meter", "progress")
    }
    labelled = {label.get("for") for label in page.elements("label")}
    wrapped = {id(inner) for label in page.elements("label") for inner in label.iter()}
    for target in labelled - {None}:
        if target not in controls:
            yield f"label for {target!r}, which is no control"
    for element in page.elements("input", "select", "textarea"):
        named = (
            element.get("id") in labelled - {None}
            or id(element) in wrapped
            or bool(element.get("aria-label") or element.get("aria-labelledby"))
        )
        if not named and (element.get("type") or "").lower() not in NAMELESS:
            yield f"{local_name(element)} {element.get('name')!r} has no label"
    for element in page.elements("img"):
        if element.get("alt") is None:
            yield f"img {element.get('src')!r} has no alt"
    for element in page.elements("button", "a"):
        if not text_of(element) and not element.get("aria-label") and not _image_text(element):
            yield f"{local_name(element)} without a name"


def _nothing_inline(page: Page) -> Iterator[str]:
    for element in page.elements():
        name = local_name(element)
        if name == "style" or (name == "script" and not element.get("src")):
            yield f"inline {name}"
        if name in ("iframe", "object", "embed", "base", "frame"):
            yield f"element {name}"
        for attribute in element.attrib:
            if attribute.lower() == "style" or attribute.lower().startswith("on"):
                yield f"inline {attribute} on {name}"


def _addresses(page: Page) -> Iterator[str]:
    for element in page.elements():
        name = local_name(element)
        for attribute in URL_ATTRIBUTES:
            raw = element.get(attribute)
            if raw is None:
                continue
            url = urljoin(page.url, raw.strip())
            if urlsplit(url).scheme not in ("http", "https", "mailto"):
                yield f"{attribute} of {name}: {raw[:80]!r}"
            elif name != "a" and not _is_local(page, url):
                yield f"{attribute} of {name} leaves our origin: {raw[:80]!r}"


def _secrets(response: Response) -> Iterator[str]:
    for text in TOKEN.findall(response.text):
        if _is_token(text):
            yield f"token text: {text[:12]}…"


def _headers(response: Response, session_cookies: frozenset[str] | None) -> Iterator[str]:
    content_type = (response.header("Content-Type") or "").replace(" ", "").lower()
    if content_type != "text/html;charset=utf-8":
        yield f"Content-Type is {content_type!r}"
    policies = response.header_values("Content-Security-Policy")
    if len(policies) != 1:
        yield f"{len(policies)} Content-Security-Policy headers"
    for policy in policies:
        yield from _policy(policy)
    sent = response.sent_cookies
    if sent & session_cookies if session_cookies is not None else sent - ANYBODYS_COOKIES:
        if "no-store" not in (response.header("Cache-Control") or "").lower():
            yield f"Cache-Control is {response.header('Cache-Control')!r}, with a session"
        varied = {part.strip().lower() for part in (response.header("Vary") or "").split(",")}
        if "cookie" not in varied:
            yield f"Vary is {response.header('Vary')!r}, with a session"


def _policy(policy: str) -> Iterator[str]:
    directives = {
        words[0].lower(): words[1:] for part in policy.split(";") if (words := part.split())
    }
    for name in ("default-src", "frame-ancestors", "base-uri"):
        if directives.get(name) != ["'none'"]:
            yield f"policy: {name} is {directives.get(name)}"
    if directives.get("object-src", ["'none'"]) != ["'none'"]:
        yield f"policy: object-src is {directives['object-src']}"
    for name, sources in directives.items():
        for source in sources:
            too_wide = "unsafe" in source or "*" in source or source in ("http:", "https:")
            if too_wide or (source == "data:" and name in CODE_DIRECTIVES):
                yield f"policy: {name} allows {source}"


def _is_local(page: Page, url: str) -> bool:
    ours, theirs = urlsplit(page.url), urlsplit(urljoin(page.url, url))
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def _image_text(element: Element) -> bool:
    return any(inner.get("alt") for inner in element.iter() if local_name(inner) == "img")


def _is_token(text: str) -> bool:
    """Whether this begins a JSON object in base64url, of which the end may be cut off."""
    try:
        start = base64.urlsafe_b64decode(text[: len(text) // 4 * 4])
        words = start.decode("ascii", "ignore")
    except (ValueError, binascii.Error):
        return True
    try:
        json.loads(words)
    except ValueError:
        return re.match(r'\{"[\w:.-]*("|$)', words) is not None
    return True
