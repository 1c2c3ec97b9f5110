"""The safe outcomes of the security catalogue, and the proof that nothing else happened."""

import json
from collections.abc import Collection
from typing import Any

from tests.doubles.browser import Browser
from tests.doubles.cookies import parse
from tests.doubles.response import Response
from tests.rig import Rig
from tests.rooms import living


def living_sessions(rig: Rig) -> int:
    """How many records in the store are alive."""
    return living(rig.store_path)


def is_anonymous(rig: Rig, browser: Browser) -> bool:
    """Whether nobody is signed in there: /me says 401 and tells no name."""
    me = browser.get("/me", site="same-origin", headers={"Accept": "application/json"})
    emails = (user.email for user in rig.cognito.users.values())
    return me.status == 401 and not any(email in me.text for email in emails)


class Watch:
    """What stood before an attack; afterwards each method states one outcome of the catalogue."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._asked = rig.cognito.issuer.token.count
        self._sessions = living_sessions(rig)
        self._logged = len(rig.log)

    @property
    def token_requests(self) -> int:
        """How many token requests came since."""
        return self._rig.cognito.issuer.token.count - self._asked

    @property
    def new_sessions(self) -> int:
        """How many living records were added since."""
        return living_sessions(self._rig) - self._sessions

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name logged since."""
        lines = self._rig.log[self._logged :].splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == name]

    def denied(
        self, response: Response, *, hidden: Collection[str] = (), token_requests: int = 0
    ) -> str:
        """DENY: our own 4xx page with a correlation id, nothing reflected, one audit event.

        No session, and no token request but those that the attack needs. Returns the reason's code.
        """
        assert 400 <= response.status < 500, f"{response}\n{response.text[:1500]}"
        refusals = self.events("refused")
        assert len(refusals) == 1, refusals
        assert refusals[0]["request_id"] in response.page.text
        shown = response.text + repr(response.headers)
        assert [text for text in hidden if text in shown] == []
        assert self.token_requests == token_requests
        self.no_session(response)
        return str(refusals[0]["code"])

    def busy(self, response: Response, *, token_requests: int) -> None:
        """BUSY: 503 with Retry-After, cookies and records untouched."""
        assert response.status == 503, f"{response}\n{response.text[:1500]}"
        assert int(response.header("Retry-After") or 0) > 0
        assert response.header_values("Set-Cookie") == []
        assert self.events("unforeseen") == []
        assert self.token_requests == token_requests
        assert self.new_sessions == 0

    def no_session(self, response: Response) -> None:
        """No record was made, and no cookie of a session was given out."""
        assert self.new_sessions == 0
        given = [parse(header) for header in response.header_values("Set-Cookie")]
        assert [one.name for one in given if one.value and not one.name.endswith("-signin")] == []


def query_of(callback: str) -> dict[str, str]:
    """The raw fields of a callback address, still encoded."""
    fields = callback.partition("?")[2].split("&")
    return {name: value for name, _, value in (field.partition("=") for field in fields)}


def restart_link(response: Response) -> str:
    """The one link of the page's own part that starts the sign-in again."""
    main = next(response.page.elements("main"))
    links = [str(a.get("href")) for a in main.iter() if str(a.tag).endswith("}a")]
    found = [href for href in links if href.partition("?")[0] == "/login"]
    assert len(found) == 1, links
    return found[0]
