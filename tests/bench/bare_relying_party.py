"""The floor that Portico is measured against: the least that a correct relying party does.

Everything that may be kept is kept: one TLS context, a pool of http.client connections, the parsed
key set, the SigV4 signing key, the AWS credentials in the session. A page is one SQLite read. It
leaves out what Portico is for (refresh, leases, explanations, logs), never a check of the sign-in.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import threading
import time
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, Response, abort, jsonify, redirect, render_template, request

from tests.bench.bare_client import Pool, sign_v4
from tests.bench.provider_tokens import base64url, unbase64url

BASE_URL, ISSUER, ORIGIN = (os.environ[f"BARE_{n}"] for n in ("BASE_URL", "ISSUER", "PROVIDER"))
CLIENT_ID, CLIENT_SECRET = os.environ["BARE_CLIENT_ID"], os.environ["BARE_CLIENT_SECRET"]
IDENTITY_POOL, DATABASE = os.environ["BARE_IDENTITY_POOL"], os.environ["BARE_DATABASE"]
REGION, SCOPES = "us-east-1", "openid email profile aws.cognito.signin.user.admin"
LOGIN_KEY = ISSUER.removeprefix("https://")
ABSOLUTE_SECONDS, ATTEMPT_SECONDS, LEEWAY = 43200, 300, 30
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signed in</title></head><body>
<h1>{{ person.email }}</h1>
<ul>{% for group in person.groups %}<li>{{ group }}</li>{% endfor %}</ul>
<form method="post" action="/call"><input type="hidden" name="csrf_token" value="{{ csrf }}">
<button>Call</button></form></body></html>"""

app = Flask(__name__)
template = app.jinja_env.from_string(PAGE)  # compiled once
seal = AESGCM(hashlib.sha256(CLIENT_SECRET.encode()).digest())
pool = Pool(ORIGIN)
authorization = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
local = threading.local()
keys: dict[str, rsa.RSAPublicKey] = {}


def database() -> sqlite3.Connection:
    """This thread's connection."""
    if not hasattr(local, "database"):
        local.database = sqlite3.connect(DATABASE, isolation_level=None)
        local.database.execute("PRAGMA journal_mode=WAL")
        local.database.execute("PRAGMA synchronous=NORMAL")
        local.database.execute(
            "CREATE TABLE IF NOT EXISTS sessions"
            " (id BLOB PRIMARY KEY, ends INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID"
        )
    connection: sqlite3.Connection = local.database
    return connection


def sealed(value: dict[str, Any], bound_to: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + seal.encrypt(nonce, json.dumps(value).encode(), bound_to)


def opened(data: bytes, bound_to: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(seal.decrypt(data[:12], data[12:], bound_to))
    return value


def write(key: bytes, record: dict[str, Any]) -> None:
    row = (key, record["ends"], sealed(record, key))
    database().execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)", row)


def session() -> tuple[bytes, dict[str, Any]]:
    """This browser's record by one read, or 401."""
    key = hashlib.sha256(request.cookies.get("sid", "").encode()).digest()
    row = database().execute("SELECT ends, record FROM sessions WHERE id = ?", (key,)).fetchone()
    if row is None or row[0] < time.time():
        abort(401)
    return key, opened(row[1], key)


def public_key(kid: str) -> rsa.RSAPublicKey:
    if not keys:
        for jwk in pool.ask("GET", f"/{ISSUER.rpartition('/')[2]}/.well-known/jwks.json")["keys"]:
            n, e = (int.from_bytes(unbase64url(jwk[name]), "big") for name in ("n", "e"))
            keys[jwk["kid"]] = rsa.RSAPublicNumbers(e, n).public_key()
    if kid not in keys:
        abort(400)
    return keys[kid]


def verified(token: str, use: str) -> dict[str, Any]:
    """The claims of a token after signature, issuer, audience, use and times held (RFC 7519)."""
    head, payload, signature = token.split(".")
    header = json.loads(unbase64url(head))
    if header["alg"] != "RS256":
        abort(400)
    try:
        public_key(header["kid"]).verify(
            unbase64url(signature),
            f"{head}.{payload}".encode(),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
    except InvalidSignature:
        abort(400)
    claims: dict[str, Any] = json.loads(unbase64url(payload))
    now = time.time()
    if (
        claims["iss"] != ISSUER
        or claims["aud" if use == "id" else "client_id"] != CLIENT_ID
        or claims["token_use"] != use
        or not claims["iat"] - LEEWAY <= now < claims["exp"] + LEEWAY
    ):
        abort(400)
    return claims


@app.get("/login")
def login() -> Response:
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    attempt = {"state": state, "nonce": nonce, "verifier": verifier, "began": time.time()}
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{BASE_URL}/callback",
        "scope": SCOPES,
        "state": state,
        "nonce": nonce,
        "code_challenge": base64url(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    answer = Response(status=302)
    answer.headers["Location"] = f"{ORIGIN}/oauth2/authorize?{urlencode(query)}"
    cookie = base64url(sealed(attempt, b"attempt"))
    answer.set_cookie("attempt", cookie, 300, path="/callback", httponly=True, samesite="Lax")
    return answer


@app.get("/callback")
def callback() -> Response:
    attempt = opened(unbase64url(request.cookies["attempt"]), b"attempt")
    if attempt["began"] + ATTEMPT_SECONDS < time.time() or not hmac.compare_digest(
        attempt["state"], request.args["state"]
    ):
        abort(400)
    form = {
        "grant_type": "authorization_code",
        "code": request.args["code"],
        "redirect_uri": f"{BASE_URL}/callback",
        "code_verifier": attempt["verifier"],
    }
    headers = {
        "Authorization": authorization,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    tokens = pool.ask("POST", "/oauth2/token", urlencode(form).encode(), headers)
    claims = verified(tokens["id_token"], "id")
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    if claims["nonce"] != attempt["nonce"] or claims["at_hash"] != base64url(half):
        abort(400)
    if verified(tokens["access_token"], "access")["sub"] != claims["sub"]:
        abort(400)
    ticket = secrets.token_urlsafe(32)
    record = {
        "ends": int(time.time()) + ABSOLUTE_SECONDS,
        "csrf": secrets.token_urlsafe(32),
        "person": {"sub": claims["sub"], "email": claims["email"]}
        | {"groups": claims["cognito:groups"]},
        "tokens": tokens,
        "aws": None,
    }
    write(hashlib.sha256(ticket.encode()).digest(), record)
    answer = redirect("/me", 303)
    answer.delete_cookie("attempt", path="/callback")
    answer.set_cookie("sid", ticket, httponly=True, samesite="Lax")
    return answer  # type: ignore[return-value]  # werkzeug's redirect makes Flask's own class here


@app.get("/me")
def me() -> Response:
    _, record = session()
    body = render_template(template, person=record["person"], csrf=record["csrf"])
    return Response(body, headers={"Cache-Control": "no-store"})


@app.post("/call")
def call() -> Response:
    key, record = session()
    if not hmac.compare_digest(record["csrf"], request.form["csrf_token"]):
        abort(403)
    if record["aws"] is None or record["aws"]["Expiration"] < time.time() + 300:
        logins = {LOGIN_KEY: record["tokens"]["id_token"]}
        found = pool.aws("GetId", {"IdentityPoolId": IDENTITY_POOL, "Logins": logins})
        given = {"IdentityId": found["IdentityId"], "Logins": logins}
        record["aws"] = pool.aws("GetCredentialsForIdentity", given)["Credentials"]
        write(key, record)
    aws = record["aws"]
    headers = {"Host": pool.host, "X-Cognito-Id-Token": record["tokens"]["id_token"]}
    headers |= {"X-Amz-Security-Token": aws["SessionToken"]}
    signed = sign_v4("GET", "/api/whoami", headers, aws["AccessKeyId"], aws["SecretKey"], REGION)
    return jsonify(status=200, answer=pool.ask("GET", "/api/whoami", None, signed))


@app.get("/healthz")
def healthz() -> str:
    return "up"
