"""The offline mailbox as a page, and as JSON for tests: where mailed codes are read."""

from dataclasses import asdict

from infra.local.asgi import Response
from infra.local.managed_login.desk import Desk
from infra.local.managed_login.mailbox import mails
from infra.local.managed_login.visit import Visit


def page(desk: Desk, visit: Visit) -> Response:
    """List the mails, newest first; ?to= keeps those to one address."""
    to = visit.request.param("to") or ""
    return desk.pages.page("mailbox", visit, mails=mails(desk.ses, to), to=to)


def as_json(desk: Desk, visit: Visit) -> Response:
    """Return {"messages": [{id, to, subject, text, code, sent_at}]}, newest first."""
    found = mails(desk.ses, visit.request.param("to") or "")
    return Response.json({"messages": [asdict(mail) for mail in found]})
