"""Custom message: the mails of the user pool, in the person's language.

The language is `lang` of the client's metadata, else the person's `locale`, else English. The code
is never in the event, only its placeholder, which must be in the mail; an invitation must hold the
placeholder of the user name as well. A trigger source that is not known keeps Cognito's own mail.
Environment: PRODUCT, the name in the mails.
"""

import html
import os
from collections.abc import Mapping

from .events import Event, attribute

# Subject and text of each mail. {code} and {username} become Cognito's placeholders.
_Mail = tuple[str, str]
_EN: Mapping[str, _Mail] = {
    "SignUp": (
        "Your code for {product}",
        "Your code is {code}. Enter it where you signed up. If that was not you, do nothing.",
    ),
    "ForgotPassword": (
        "A new password for {product}",
        "Your code for a new password is {code}. If you did not ask for it, your password stays.",
    ),
    "AdminCreateUser": (
        "Your invitation to {product}",
        "Your user name is {username}, your temporary password {code}. You choose your own when"
        " you first sign in.",
    ),
    "UpdateUserAttribute": (
        "Your new address at {product}",
        "Your code is {code}. Until you enter it, your old address stays.",
    ),
    "Authentication": ("Your sign-in code for {product}", "Your sign-in code is {code}."),
}
_DE: Mapping[str, _Mail] = {
    "SignUp": (
        "Ihr Code für {product}",
        "Ihr Code lautet {code}. Geben Sie ihn dort ein, wo Sie sich angemeldet haben. Waren Sie es"
        " nicht, tun Sie nichts.",
    ),
    "ForgotPassword": (
        "Ein neues Passwort für {product}",
        "Ihr Code für ein neues Passwort lautet {code}. Haben Sie keines verlangt, bleibt Ihr"
        " Passwort, wie es ist.",
    ),
    "AdminCreateUser": (
        "Ihre Einladung zu {product}",
        "Ihr Benutzername ist {username}, Ihr vorläufiges Passwort {code}. Bei der ersten Anmeldung"
        " wählen Sie ein eigenes.",
    ),
    "UpdateUserAttribute": (
        "Ihre neue Adresse bei {product}",
        "Ihr Code lautet {code}. Bis Sie ihn eingeben, bleibt die alte Adresse.",
    ),
    "Authentication": ("Ihr Anmeldecode für {product}", "Ihr Anmeldecode lautet {code}."),
}
_FR: Mapping[str, _Mail] = {
    "SignUp": (
        "Votre code pour {product}",
        "Votre code est {code}. Saisissez-le là où vous vous êtes inscrit. Si ce n'était pas vous,"
        " ne faites rien.",
    ),
    "ForgotPassword": (
        "Un nouveau mot de passe pour {product}",
        "Votre code pour un nouveau mot de passe est {code}. Si vous n'avez rien demandé, l'ancien"
        " reste valable.",
    ),
    "AdminCreateUser": (
        "Votre invitation à {product}",
        "Votre nom d'utilisateur est {username}, votre mot de passe provisoire {code}. Vous"
        " choisirez le vôtre à la première connexion.",
    ),
    "UpdateUserAttribute": (
        "Votre nouvelle adresse chez {product}",
        "Votre code est {code}. Tant que vous ne l'avez pas saisi, l'ancienne adresse reste.",
    ),
    "Authentication": (
        "Votre code de connexion pour {product}",
        "Votre code de connexion est {code}.",
    ),
}
LANGUAGES: Mapping[str, Mapping[str, _Mail]] = {"en": _EN, "de": _DE, "fr": _FR}
# Cognito's names that mean one of the mails above.
_SAME = {"ResendCode": "SignUp", "VerifyUserAttribute": "UpdateUserAttribute"}


def handle(event: Event, context: object) -> Event:
    """The entry point that Cognito calls."""
    return written(event, product=os.environ.get("PRODUCT") or "Portico")


def written(event: Event, *, product: str) -> Event:
    """The event with subject and text of the mail in it."""
    kind = str(event.get("triggerSource", "")).partition("_")[2]
    mail = LANGUAGES[_language(event)].get(_SAME.get(kind, kind))
    if mail is None:
        return event
    request = event["request"]
    subject, text = mail
    shown = html.escape(text).format(
        code=request["codeParameter"], username=request.get("usernameParameter") or "{username}"
    )
    event["response"]["emailSubject"] = subject.format(product=product)
    event["response"]["emailMessage"] = f"<p>{shown}</p>"
    return event


def _language(event: Event) -> str:
    metadata = event["request"].get("clientMetadata") or {}
    for wish in (metadata.get("lang"), attribute(event, "locale")):
        language = str(wish or "").replace("_", "-").partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"
