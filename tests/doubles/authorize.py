"""Managed Login's front channel: /oauth2/authorize and /logout, as pure functions on the pool."""

import re
from urllib.parse import urlencode

from tests.doubles.double import required
from tests.doubles.message import Complaint
from tests.doubles.pool import UserPool
from tests.doubles.users import User

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")
KNOWN = frozenset(
    [
        *("response_type", "client_id", "redirect_uri", "state", "scope", "nonce", "resource"),
        *("code_challenge", "code_challenge_method", "identity_provider", "idp_identifier"),
        *("lang", "login_hint", "prompt"),
    ]
)
PROMPTS = frozenset({"none", "login", "select_account", "consent"})


def authorize(
    pool: UserPool, fields: dict[str, str], user: User | None, *, require_pkce: bool
) -> str:
    """Where the browser goes next: the callback with a code, or with an error.

    A Complaint for what a right client never sends. Without a user, `prompt=none` answers
    login_required.
    """
    _check(pool, fields, require_pkce=require_pkce)
    redirect_uri, state = fields["redirect_uri"], fields["state"]
    if user is None:
        return refusal(redirect_uri, state, "login_required", None)
    asked = fields["scope"].split()
    if not set(asked) <= pool.client.scopes:
        return refusal(redirect_uri, state, "invalid_scope", None)
    occasion = pool.begin(user, " ".join(asked), fields.get("nonce"))
    code = pool.new_code(occasion, redirect_uri, fields.get("code_challenge"))
    return _join(redirect_uri, {"code": code, "state": state})


def refusal(redirect_uri: str, state: str, error: str, description: str | None) -> str:
    """The callback with an error (RFC 6749 4.1.2.1)."""
    fields = {"error": error, "state": state}
    if description is not None:
        fields["error_description"] = description
    return _join(redirect_uri, fields)


def _check(pool: UserPool, fields: dict[str, str], *, require_pkce: bool) -> None:
    where = "/oauth2/authorize"
    if unknown := set(fields) - KNOWN:
        raise Complaint(f"{where}: Cognito knows no {', '.join(sorted(unknown))}")
    required(fields, "client_id", "redirect_uri", "response_type", "scope", "state", where=where)
    if fields["client_id"] != pool.client.client_id:
        raise Complaint(f"{where}: client_id {fields['client_id']!r} is not a client")
    if fields["redirect_uri"] not in pool.client.redirect_uris:
        raise Complaint(f"{where}: redirect_uri {fields['redirect_uri']!r} is not registered")
    if fields["response_type"] != "code":
        raise Complaint(f"{where}: response_type {fields['response_type']!r}")
    if not URL_SAFE.fullmatch(fields["state"]):
        raise Complaint(f"{where}: state {fields['state']!r} would not survive being encoded")
    if "openid" in fields["scope"].split():
        required(fields, "nonce", where=where)
    if not set(fields.get("prompt", "login").split()) <= PROMPTS:
        raise Complaint(f"{where}: prompt {fields['prompt']!r}")
    if require_pkce:
        required(fields, "code_challenge", "code_challenge_method", where=where)
    if "code_challenge" in fields:
        if fields.get("code_challenge_method") != "S256":
            raise Complaint(f"{where}: code_challenge_method is not S256")
        if not CHALLENGE.fullmatch(fields["code_challenge"]):
            raise Complaint(f"{where}: code_challenge is not a SHA-256 digest")


def leave(pool: UserPool, fields: dict[str, str], authorize_url: str) -> str:
    """Where /logout sends the browser: a registered logout_uri, or a fresh sign-in."""
    where = "/logout"
    required(fields, "client_id", where=where)
    if fields["client_id"] != pool.client.client_id:
        raise Complaint(f"{where}: client_id {fields['client_id']!r} is not a client")
    if "logout_uri" in fields:
        if fields["logout_uri"] not in pool.client.logout_uris:
            raise Complaint(f"{where}: logout_uri {fields['logout_uri']!r} is not registered")
        if extra := set(fields) - {"client_id", "logout_uri"}:
            raise Complaint(f"{where}: logout_uri goes without {', '.join(sorted(extra))}")
        return fields["logout_uri"]
    required(fields, "redirect_uri", "response_type", where=f"{where} without logout_uri")
    if fields["redirect_uri"] not in pool.client.redirect_uris:
        raise Complaint(f"{where}: redirect_uri {fields['redirect_uri']!r} is not registered")
    return f"{authorize_url}?{urlencode(fields)}"


def _join(uri: str, fields: dict[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(fields)}"
