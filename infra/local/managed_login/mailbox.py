"""The offline mailbox: the mails that ministack recorded instead of sending them."""
# ruff: noqa: SLF001 - ministack keeps its mails in a private store and offers no Python interface

import re
from dataclasses import dataclass
from types import ModuleType

_CODE = re.compile(r"(?<!\w)\d{6}(?!\w)")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One recorded mail; `sent_at` in epoch seconds, `code` the six digits in it or ""."""

    id: str
    to: tuple[str, ...]
    subject: str
    text: str
    code: str
    sent_at: float


def mails(ses: ModuleType, to: str = "") -> list[Mail]:
    """Return the mails that ministack's SES module recorded, newest first.

    Only those to one address when it is given.
    """
    found: list[Mail] = []
    for _scope, entries in ses._sent_emails.all_items():
        for entry in list(entries):
            text = str(entry.get("BodyText") or entry.get("BodyHtml") or "")
            code = _CODE.search(text)
            found.append(
                Mail(
                    id=str(entry.get("MessageId", "")),
                    to=tuple(str(address) for address in entry.get("To") or ()),
                    subject=str(entry.get("Subject", "")),
                    text=text,
                    code=code.group() if code else "",
                    sent_at=float(entry.get("Timestamp", 0.0)),
                )
            )
    wanted = to.strip().lower()
    found.reverse()  # recorded in the order of sending; the stable sort keeps that within a moment
    newest = sorted(found, key=lambda mail: -mail.sent_at)
    return [mail for mail in newest if not wanted or wanted in map(str.lower, mail.to)]
