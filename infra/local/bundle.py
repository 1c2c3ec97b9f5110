"""Pack a Lambda function's package into an archive that is the same on every machine.

Names sorted, times fixed, nothing compressed (deflate differs between builds of zlib): an
unchanged function is an unchanged hash, so no engine sees an update where there is none.
"""

import io
import zipfile
from pathlib import Path

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
