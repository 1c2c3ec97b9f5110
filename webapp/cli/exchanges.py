"""From a password to tokens by the user pool's own API, and the questions that come between.

AWS: InitiateAuth and AdminInitiateAuth, RespondToAuthChallenge and its admin twin.
"""

import base64
import hashlib
import hmac
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from webapp.cli.aws_words import spoken
from webapp.errors import OperatorFault

Answer = Mapping[str, Any]

_CODES = {
    "SOFTWARE_TOKEN_MFA": ("SOFTWARE_TOKEN_MFA_CODE", "Code of the authenticator app"),
    "SMS_MFA": ("SMS_MFA_CODE", "Code of the text message"),
    "EMAIL_OTP": ("EMAIL_OTP_CODE", "Code of the mail"),
}


@dataclass(frozen=True, slots=True)
class AppClient:
    """The app client, as one needs it to sign somebody in."""

    client_id: str
    secret: str | None = field(repr=False)

    def hashed(self, username: str) -> dict[str, str]:
        """The client's proof beside a username (AWS: SECRET_HASH); nothing for a public client."""
        if self.secret is None:
            return {}
        message = f"{username}{self.client_id}".encode()
        digest = hmac.digest(self.secret.encode(), message, hashlib.sha256)
        return {"SECRET_HASH": base64.b64encode(digest).decode()}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One conversation with the user pool; `respond` answers what it asks next."""

    client: AppClient
    respond: Callable[..., Answer] = field(repr=False)
    username: str

    def tokens(self, answer: Answer) -> Mapping[str, Any]:
        """The tokens in the answer, after second factors were asked for.

        Raises OperatorFault for a question that is not answered here, and as `spoken`.
        """
        for _ in range(3):  # two factors, and one more code where the first was mistyped
            if "AuthenticationResult" in answer:
                result: Mapping[str, Any] = answer["AuthenticationResult"]
                return result
            answer = self._answered(answer)
        raise OperatorFault("The user pool asks for ever more; sign in with --code instead.")

    def _answered(self, answer: Answer) -> Answer:
        challenge = str(answer.get("ChallengeName", ""))
        if challenge == "NEW_PASSWORD_REQUIRED":
            raise OperatorFault(
                "This person has to choose a new password first: in the browser, or with"
                " `users set-password`.",
                code="new_password_required",
            )
        if challenge not in _CODES:
            raise OperatorFault(
                f"The user pool asks for {challenge}, which is not known here; use --code.",
                code="challenge",
            )
        name, question = _CODES[challenge]
        given = answer.get("ChallengeParameters", {})
        username = str(given.get("USERNAME") or given.get("USER_ID_FOR_SRP") or self.username)
        code = _asked(question)
        with spoken(self.username, secrets=(code,)):
            return self.respond(
                ChallengeName=challenge,
                Session=answer["Session"],
                ChallengeResponses={
                    "USERNAME": username,
                    name: code,
                    **self.client.hashed(username),
                },
            )


def _asked(question: str) -> str:
    if not sys.stdin.isatty():
        raise OperatorFault(
            "This person has a second factor, and nobody is here to type its code; sign in at a"
            " terminal.",
            code="second_factor",
        )
    return str(click.prompt(question, err=True)).strip()
