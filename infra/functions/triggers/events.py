"""What every trigger of a user pool is handed, and how a trigger says no.

Cognito calls a trigger with one event and takes the same event back, its `response` filled in. An
exception stops what the person was doing, and its text is shown to them after the trigger's name,
so it must be a sentence for people. (AWS: Customizing user pool workflows with Lambda triggers.)
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

Event = dict[str, Any]

_log = logging.getLogger("portico.triggers")
_log.setLevel(logging.INFO)


class NotAllowed(Exception):
    """The person may not go on; the text is for them."""


def attribute(event: Event, name: str) -> str:
    """A person's attribute, or nothing."""
    attributes = event.get("request", {}).get("userAttributes") or {}
    value = attributes.get(name)
    return value if isinstance(value, str) else ""


def domain_of(mail: str) -> str:
    """The domain of a mail address as names compare: lower case, ASCII, without a final dot.

    Nothing for what is no address with exactly one @ outside quotes.
    """
    local, at, domain = mail.rpartition("@")
    if not at or not local or "@" in local:
        return ""
    try:
        return domain.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""


def words(text: str) -> frozenset[str]:
    """The words of a list that an environment variable holds, parted by commas or blanks."""
    return frozenset(word.lower() for word in text.replace(",", " ").split())


def audit(event: Event, what: str, **facts: object) -> None:
    """One line of JSON for the log: who by `sub`, never by name, address or attribute."""
    context: Mapping[str, object] = event.get("callerContext") or {}
    line = {
        "event": what,
        "trigger": event.get("triggerSource"),
        "user_pool": event.get("userPoolId"),
        "client": context.get("clientId"),
        "sub": attribute(event, "sub") or None,
        **facts,
    }
    _log.info(json.dumps(line))
