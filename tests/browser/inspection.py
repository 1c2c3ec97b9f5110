"""What every page that a test comes to is held against.

A complaint on the console (a refused script, style or form among them), a script that failed, a
part that did not load, a token in the page, or a page wider than its window.
"""

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# Chromium says this of every answer that is no success, also of a page that is meant to be a 403.
_NO_SUCCESS = "Failed to load resource: the server responded with a status of"
# A part that was still loading when the person went on.
_GONE_ON = "net::ERR_ABORTED"

# Base64url of a JSON object begins with eyJ; every token of Cognito is one or starts with one.
_LOOK = """
() => {
  const root = document.documentElement;
  const beyond = (one) => one.getBoundingClientRect().right > root.clientWidth + 0.5;
  const found = [];
  const asked = location.pathname === "/session/token";  // there by an operator's switch alone
  if (!asked && root.outerHTML.includes("eyJ")) found.push("a token stands in the page");
  if (root.scrollWidth > root.clientWidth) {
    const [first] = [...document.body.querySelectorAll("*")].filter(beyond);
    const blamed = first?.outerHTML.slice(0, 120);
    found.push(`${root.scrollWidth} wide in a window of ${root.clientWidth}: ${blamed}`);
  }
  return found;
}
"""


class Inspector:
    """Watches one window and collects what is wrong.

    `only` is the origin that is held to it: other people's pages may complain as they like.
    """

    def __init__(self, page: Page, only: str = "") -> None:
        self._page = page
        self._only = only
        self._documents: set[str] = set()
        self._found: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._note(f"script failed: {error}", page.url))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def check(self) -> None:
        """Fail if anything was wrong so far, or is wrong with the page that is open now."""
        if self._page.url.startswith(self._only):
            self._found += self._page.evaluate(_LOOK)
        found, self._found = self._found, []
        assert not found, f"{self._page.url}: {found}"

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        where = message.location["url"]
        if message.text.startswith(_NO_SUCCESS) and where in self._documents:
            return
        self._note(f"{message.type}: {message.text} ({where})", where or self._page.url)

    def _failed(self, request: Request) -> None:
        if request.failure != _GONE_ON:
            self._note(f"not loaded: {request.url} ({request.failure})", request.url)

    def _note(self, what: str, where: str) -> None:
        if where.startswith(self._only):
            self._found.append(what)

    def _answered(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self._documents.add(response.url.partition("#")[0])
