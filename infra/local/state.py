"""What survives a restart beside ministack's own state: one JSON file, written whole."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Keeper(Protocol):
    """Something whose memory can be written down and taken back."""

    def dump(self) -> dict[str, Any]:
        """Return the memory as JSON-able data."""
        ...

    def load(self, data: Mapping[str, Any]) -> None:
        """Take back what `dump` gave."""
        ...


def save(path: Path, keepers: Mapping[str, Keeper]) -> None:
    """Write every keeper's memory; the old file stays whole until the new one is."""
    text = json.dumps({name: keeper.dump() for name, keeper in keepers.items()})
    write_private(path, text)


def restore(path: Path, keepers: Mapping[str, Keeper]) -> None:
    """Hand each keeper its memory; a first start has none."""
    if not path.exists():
        return
    data = json.loads(path.read_text(encoding="utf-8"))
    for name, keeper in keepers.items():
        keeper.load(data.get(name, {}))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
