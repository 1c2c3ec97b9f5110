"""Pre and post authentication: one line in the log for each try and each success.

Nothing is decided here. A try for somebody who does not exist is logged without their name, so the
log tells nobody who exists either.
"""

from .events import Event, audit


def before(event: Event, context: object) -> Event:
    """Pre authentication: somebody gives their credentials. The entry point that Cognito calls."""
    audit(event, "sign_in_tried", unknown=bool(event["request"].get("userNotFound")))
    return event


def after(event: Event, context: object) -> Event:
    """Post authentication: they were right. The entry point that Cognito calls."""
    audit(event, "signed_in", new_device=bool(event["request"].get("newDeviceUsed")))
    return event
