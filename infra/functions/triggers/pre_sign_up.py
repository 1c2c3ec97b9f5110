"""Pre sign-up: who may sign up by the domain of their mail address, and who needs no code.

Environment: ALLOWED_DOMAINS (empty: every domain), AUTO_CONFIRM_DOMAINS (their people need no code
and their address counts as proven: only for domains whose mail you control).
"""

import os
from collections.abc import Mapping

from .events import Event, NotAllowed, attribute, audit, domain_of, words


def handle(event: Event, context: object) -> Event:
    """The entry point that Cognito calls."""
    return decided(event, os.environ)


def decided(event: Event, environment: Mapping[str, str]) -> Event:
    """The event with the decision in it. Raises NotAllowed with a sentence for the person."""
    source = event.get("triggerSource")
    if source == "PreSignUp_AdminCreateUser":
        return event  # an administrator knows whom they invite
    domain = domain_of(attribute(event, "email"))
    allowed = words(environment.get("ALLOWED_DOMAINS", ""))
    if not domain or (allowed and domain not in allowed):
        audit(event, "sign_up_refused", domain=domain or None)
        raise NotAllowed("Sign-up is open to certain mail domains only; yours is not among them.")
    # Somebody of another provider is confirmed by that; the answer's fields mean nothing then.
    sure = domain in words(environment.get("AUTO_CONFIRM_DOMAINS", ""))
    if sure and source == "PreSignUp_SignUp":
        event["response"]["autoConfirmUser"] = True
        event["response"]["autoVerifyEmail"] = True
    audit(event, "sign_up_allowed", domain=domain, confirmed=sure)
    return event
