"""axe-core before a page: WCAG 2.2 A and AA, in light and dark, on a desktop and a phone."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

from tests.browser.visitor import DESKTOP, PHONE

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
Looks = tuple[tuple[Literal["light", "dark"], ViewportSize], ...]
LOOKS: Looks = (
    ("light", DESKTOP),
    ("dark", DESKTOP),
    ("dark", PHONE),
    ("light", PHONE),
)
_OPTIONS = {
    "runOnly": {"type": "tag", "values": TAGS},
    # Said to be experimental by axe, and a criterion of WCAG 2.2 all the same.
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations", "incomplete"],
}
# The shades at a table's edges are gradients, before which axe cannot tell a contrast: it sees the
# sheet that they lie on. A style sheet made by a script is none of the page's own.
_PLAIN = """() => {
  const plain = new CSSStyleSheet();
  plain.replaceSync(".scroll { background: var(--sheet) !important; }");
  document.adoptedStyleSheets = [plain];
}"""


# Letters in a drawing, or before something that lies beneath an open menu.
_NO_WONDER = {
    "bgOverlap",
    "imgNode",
    "shortTextContent",
    "elmPartiallyObscured",
    "elmPartiallyObscuring",
}


def violations(page: Page, looks: Looks = LOOKS) -> list[str]:
    """Everything that axe finds wrong with the page as it stands, in each look.

    The page is changed for it and put back: what was opened on it stays open.
    """
    before = page.viewport_size
    found = [line for look in looks for line in _in_look(page, *look)]
    page.emulate_media(color_scheme="null")
    if before is not None:
        page.set_viewport_size(before)
    return found


def _undecided(rule: dict[str, Any], node: dict[str, Any]) -> bool:
    """Whether a contrast was left open for a reason that we could take away."""
    if rule["id"] != "color-contrast":
        return False
    return not _NO_WONDER & {one["data"].get("messageKey") for one in node["any"] if one["data"]}


def _in_look(page: Page, scheme: Literal["light", "dark"], viewport: ViewportSize) -> Iterator[str]:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(viewport)
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_PLAIN)
        page.evaluate(AXE_SCRIPT)  # over the browser's own line, which no content policy governs
    answer: dict[str, Any] = page.evaluate(f"axe.run({json.dumps(_OPTIONS)})")
    for rule in (*answer["violations"], *answer["incomplete"]):
        for node in rule["nodes"]:
            if rule in answer["incomplete"] and not _undecided(rule, node):
                continue
            where = f"{page.url} {scheme} {viewport['width']}"
            yield f"{where}: {rule['id']}: {node['target']} {node['failureSummary']}"
