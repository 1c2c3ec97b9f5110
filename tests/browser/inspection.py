"""What every page that a test comes to is held against.

A complaint on the console (a refused script, style or form among them), a script that failed, a
part that did not load, a token in the page, or a page wider than a phone.
"""

from playwright.sync_api import ConsoleMessage, Page, Request, Response

PHONE = {"width": 390, "height": 844}

# Chromium says this of every answer that is no success, also of a page that is meant to be a 403.
_NO_SUCCESS = "Failed to load resource: the server responded with a status of"
# A part that was still loading when the person went on.
_GONE_ON = "net::ERR_ABORTED"

_TOO_WIDE = """
() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5)
  .map((one) => one.outerHTML.slice(0, 120))
"""
_WIDTHS = "() => [document.documentElement.scrollWidth, innerWidth]"


class Inspector:
    """Watches one window and collects what is wrong. `measured` is shared: a page once is enough."""

    def __init__(self, page: Page, measured: set[str]) -> None:
        self._page = page
        self._measured = measured
        self._documents: set[str] = set()
        self._found: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._found.append(f"script failed: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def check(self) -> None:
        """Fail if anything was wrong so far, or is wrong with the page that is open now."""
        # Whatever comes after this point belongs to the next check.
        self._no_token()
        self._fits_a_phone()
        found, self._found = self._found, []
        assert not found, f"{self._page.url}: {found}"

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        where = message.location["url"]
        if message.text.startswith(_NO_SUCCESS) and where in self._documents:
            return
        self._found.append(f"{message.type}: {message.text} ({where})")

    def _failed(self, request: Request) -> None:
        if request.failure != _GONE_ON:
            self._found.append(f"not loaded: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self._documents.add(response.url.partition("#")[0])

    def _no_token(self) -> None:
        # A JSON object in base64url begins so: every token of Cognito does.
        if "eyJ" in self._page.content():
            self._found.append("a token stands in the page")

    def _fits_a_phone(self) -> None:
        key = f"{self._page.url.partition('?')[0]} {self._page.title()}"
        if key in self._measured:
            return
        self._measured.add(key)
        usual = self._page.viewport_size or PHONE
        self._page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        needed, given = self._page.evaluate(_WIDTHS)
        if needed > given:
            self._found.append(f"{needed} wide on {given}: {self._page.evaluate(_TOO_WIDE)[:4]}")
        self._page.set_viewport_size(usual)
