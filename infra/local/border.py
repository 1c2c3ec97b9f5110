"""Who may talk to the offline AWS: this machine's programs, and pages that this machine serves.

Its keys are public and it runs the code it is given, so a web page from elsewhere that reaches it
through the developer's browser would run code on his machine. Listening on loopback does not stop
a page; these two layers do. Nothing here exists on AWS.
"""

from urllib.parse import urlsplit

from infra.local.asgi import Request, Response

_OWN_NAMES = ("localhost", "127.0.0.1", "::1")


async def own_names_only(request: Request) -> Response | None:
    """Refuse a Host that is not this machine's: a foreign name that was rebound to loopback."""
    if _is_own(f"//{request.headers.get('host', '')}"):
        return None
    return _refusal("This server answers under localhost and 127.0.0.1 only.")


async def own_pages_only(request: Request) -> Response | None:
    """Refuse what a page of another origin sends, `null` included; programs send no Origin."""
    origin = request.headers.get("origin")
    if origin is None or _is_own(origin):
        return None
    return _refusal("Pages from elsewhere may not call this server.")


def _is_own(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in _OWN_NAMES or host.endswith(".localhost")


def _refusal(sentence: str) -> Response:
    return Response.json({"message": sentence}, status=403)
