"""Pack a Lambda function's package into an archive that is the same on every machine.

Names sorted, times fixed, nothing compressed (deflate differs between builds of zlib): an
unchanged function is an unchanged hash, so no engine sees an update where there is none.

    python3 -m infra.bundle      writes infra/functions/build/<package>.zip for Terraform

Standard library only: whoever runs Terraform needs nothing installed.
"""

import io
import zipfile
from pathlib import Path

FUNCTIONS = Path(__file__).with_name("functions")
BUILD = FUNCTIONS / "build"

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP archive can hold
_MODE = 0o100644 << 16  # a regular file that Lambda's own user may read


def bundle(package: Path) -> bytes:
    """Return the archive of a package folder, its modules below the folder's own name.

    Raises FileNotFoundError when the folder holds no module.
    """
    files = sorted(
        (path.relative_to(package.parent).as_posix(), path) for path in package.rglob("*.py")
    )
    if not files:
        raise FileNotFoundError(f"{package} holds no Python module to pack.")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for name, path in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, whatever system packs
            entry.external_attr = _MODE
            packed.writestr(entry, path.read_bytes())
    return archive.getvalue()


def write_all(functions: Path = FUNCTIONS, build: Path = BUILD) -> list[Path]:
    """Write the archive of every package below `functions`; return where they are."""
    build.mkdir(parents=True, exist_ok=True)
    written = []
    for module in sorted(functions.glob("*/__init__.py")):
        archive = build / f"{module.parent.name}.zip"
        archive.write_bytes(bundle(module.parent))
        written.append(archive)
    return written


if __name__ == "__main__":
    for path in write_all():
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
