"""What the doctor says of one thing: fine, to be changed, or not to be known from here."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["fine", "change", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `cure` says what to change, where and to what."""

    about: str
    verdict: Verdict
    seen: str
    cure: str = ""


def fine(about: str, seen: str) -> Finding:
    """It is as it should be."""
    return Finding(about, "fine", seen)


def change(about: str, seen: str, cure: str) -> Finding:
    """It has to be changed."""
    return Finding(about, "change", seen, cure)


def unknown(about: str, seen: str, cure: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(about, "unknown", seen, cure)


def needed(about: str, holds: bool, seen: str, otherwise: str, cure: str) -> Finding:
    """Fine when it holds, else to be changed."""
    return fine(about, seen) if holds else change(about, otherwise, cure)
