"""The Lambda archive is the same wherever and whenever it is made."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from infra.bundle import bundle
from infra.stack import FUNCTIONS


def test_the_archive_depends_on_nothing_but_the_contents(tmp_path: Path) -> None:
    """Other times, modes and order of writing give the same bytes; clutter stays out."""
    first, second = tmp_path / "one" / "api", tmp_path / "two" / "api"
    for folder, names in ((first, ["a.py", "b.py"]), (second, ["b.py", "a.py"])):
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text(f"# {name}\n")
    os.utime(second / "a.py", (0, 0))
    (second / "b.py").chmod(0o700)
    (second / "__pycache__").mkdir()
    (second / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"x")
    assert bundle(first) == bundle(second)


def test_the_archive_holds_the_package_under_its_name_uncompressed() -> None:
    """The handler of the stack file is found at the archive's root."""
    with zipfile.ZipFile(io.BytesIO(bundle(FUNCTIONS / "api"))) as packed:
        names = packed.namelist()
        assert "api/handler.py" in names
        assert names == sorted(names)
        assert {entry.compress_type for entry in packed.infolist()} == {zipfile.ZIP_STORED}


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    """A folder without a module is an error with the folder's name."""
    with pytest.raises(FileNotFoundError, match="no Python module"):
        bundle(tmp_path)
