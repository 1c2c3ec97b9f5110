"""The pool's back channel: /oauth2/token and /oauth2/revoke."""

import hashlib
import re

from tests.doubles.double import required
from tests.doubles.keys import Json, b64url
from tests.doubles.message import Answer, Complaint, Request
from tests.doubles.pool import Refused, UserPool

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
KNOWN = {
    "authorization_code": {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"},
    "refresh_token": {"grant_type", "refresh_token", "client_id", "scope"},
}


def token(pool: UserPool, request: Request, *, require_pkce: bool) -> Answer:
    """Answer a token request (RFC 6749 5)."""
    form = request.form()
    required(form, "grant_type", where=request.path)
    grant = form["grant_type"]
    if grant not in KNOWN:
        raise Complaint(f"{request.path}: grant_type {grant!r}")
    if unknown := set(form) - KNOWN[grant] - {"client_secret"}:
        raise Complaint(f"{request.path}: {grant} goes without {', '.join(sorted(unknown))}")
    try:
        pool.client.authenticate(request, form)
        if grant == "authorization_code":
            return Answer.of_json(_by_code(pool, form, require_pkce=require_pkce))
        return Answer.of_json(_by_refresh_token(pool, form))
    except Refused as refused:
        return refused_answer(refused)


def revoke(pool: UserPool, request: Request) -> Answer:
    """End a refresh token and its family; 200 also for one that nobody knows (RFC 7009 2.2)."""
    form = request.form()
    required(form, "token", where=request.path)
    try:
        pool.client.authenticate(request, form)
        if form["token"].count(".") == 2:
            raise Refused("unsupported_token_type")
    except Refused as refused:
        return refused_answer(refused)
    known = pool.refresh_tokens.get(form["token"])
    if known is not None:
        known.occasion.revoked = True
    return Answer(200)


def refused_answer(refused: Refused) -> Answer:
    """An OAuth error; Cognito answers 400 for all of them, invalid_client too."""
    document: Json = {"error": refused.code}
    if refused.text:
        document["error_description"] = refused.text
    return Answer.of_json(document, 400)


def _by_code(pool: UserPool, form: dict[str, str], *, require_pkce: bool) -> Json:
    required(form, "code", "redirect_uri", where="authorization_code")
    if require_pkce:
        required(form, "code_verifier", where="authorization_code")
    if "code_verifier" in form and not VERIFIER.fullmatch(form["code_verifier"]):
        raise Complaint("authorization_code: code_verifier is not of RFC 7636 4.1")
    code = pool.codes.pop(form["code"], None)
    if code is None or code.expires_at <= pool.now():
        raise Refused("invalid_grant")
    if code.redirect_uri != form["redirect_uri"]:
        raise Refused("invalid_grant")
    if code.challenge != _challenge(form.get("code_verifier")):
        raise Refused("invalid_grant")
    tokens = pool.new_tokens(code.occasion)
    return tokens | {"refresh_token": pool.new_refresh_token(code.occasion)}


def _by_refresh_token(pool: UserPool, form: dict[str, str]) -> Json:
    required(form, "refresh_token", where="refresh_token")
    known = pool.refresh_tokens.get(form["refresh_token"])
    now = pool.now()
    if known is None or known.dies_at <= now:
        raise Refused("invalid_grant", "Invalid Refresh Token")
    if known.occasion.revoked:
        raise Refused("invalid_grant", "Refresh Token has been revoked")
    if not pool.is_active(known.occasion.user):
        raise Refused("invalid_grant", "User is disabled")
    known.occasion.nonce = None
    tokens = pool.new_tokens(known.occasion)
    if pool.rotation:
        known.dies_at = min(known.dies_at, now + pool.rotation_grace)
        tokens["refresh_token"] = pool.new_refresh_token(known.occasion)
    return tokens


def _challenge(verifier: str | None) -> str | None:
    return None if verifier is None else b64url(hashlib.sha256(verifier.encode()).digest())
