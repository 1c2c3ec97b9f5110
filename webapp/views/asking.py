"""What a person may ask of a sign-in: each from an allow-list, whatever else comes passed over."""

import re

from werkzeug.datastructures import MultiDict

from webapp.views.page import LANGUAGES

# AWS, authorize endpoint: values may be combined, but not with none.
PROMPTS = {"none", "login", "select_account", "consent"}
SCREEN, SIGN_UP = "screen", "sign-up"
_HINT = re.compile(r"[^\x00-\x1f\x7f<>\"\\]{1,128}")


def wants_sign_up(query: MultiDict[str, str]) -> bool:
    """Whether the person wants to begin at the form for new people."""
    return query.get(SCREEN) == SIGN_UP


def options_of(
    query: MultiDict[str, str], providers: tuple[str, ...], spoken: str | None
) -> dict[str, str]:
    """The parameters of the authorize endpoint that a query asks for.

    The language of our own pages, if one was chosen, is Managed Login's too unless the query has
    another; an empty one there means none.
    """
    options = {}
    prompt = " ".join(query.get("prompt", "").split())
    asked = set(prompt.split())
    joining = wants_sign_up(query)  # somebody new is neither known nor at a provider
    if asked and asked <= PROMPTS and (asked == {"none"} or "none" not in asked) and not joining:
        options["prompt"] = prompt
    language = query.get("lang", spoken or "")
    if language in dict(LANGUAGES):
        options["lang"] = language
    hint = query.get("login_hint", "")
    if _HINT.fullmatch(hint):
        options["login_hint"] = hint
    provider = query.get("provider", "")
    # With prompt=none a provider would turn a federated session into login_required.
    if provider in providers and options.get("prompt") != "none" and not joining:
        options["identity_provider"] = provider
    return options
