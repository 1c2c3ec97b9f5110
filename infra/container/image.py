"""Build the image and try it, on a Debian machine as root that has no container engine.

    python -m infra.container.image              # buildah and debootstrap are needed
    python -m infra.container.image --json

No registry is asked: the base is a stand-in of Debian's own Python, made by debootstrap, so this
proves the recipe's steps, files, user and start, and not the official base image. That and what a
kernel must do (read-only root, dropped capabilities) is the pipeline's part: see image.yml.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.container.healthcheck import healthy
from infra.container.workshop import BASE, ImageError, Workshop, ended, missing

START_SECONDS = 30.0
# What has no place in the image: tools to build or to fetch with, history and tests of ours.
UNWANTED_PROGRAMS = ("gcc", "cc", "make", "git", "curl", "wget", "pip", "pip3")
UNWANTED_OF_OURS = (".git", ".env", "tests", "requirements-dev.txt", "Makefile")


@dataclass(frozen=True)
class Found:
    """What was seen of the image. `seconds` from the start to the first 200 of /healthz.

    `digests` are those of two builds, each from nothing.
    """

    digests: tuple[str, str]
    uid: int
    seconds: float
    unwanted: tuple[str, ...]
    writable: tuple[str, ...]
    environment: tuple[str, ...]
    megabytes: int


def looked_at(workshop: Workshop, port: int, digests: tuple[str, str]) -> Found:
    """Start the image and look into it. Raises ImageError when it does not answer."""
    with workshop.container() as container:
        listing = workshop.ran(container, "python", "-c", _LOOK)
        seen = json.loads(listing)
        began = time.monotonic()
        process = workshop.started(container, port)
        try:
            while not healthy(port):
                if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                    raise ImageError("The container does not answer /healthz.")
                time.sleep(0.1)
            seconds = round(time.monotonic() - began, 1)
        finally:
            ended(process)
    return Found(
        digests=digests,
        uid=seen["uid"],
        seconds=seconds,
        unwanted=tuple(seen["unwanted"]),
        writable=tuple(seen["writable"]),
        environment=tuple(sorted(seen["environment"])),
        megabytes=seen["megabytes"],
    )


# Run inside: who one is, what lies there that should not, where one could write, how large it is.
_LOOK = f"""
import json, os
unwanted, writable, size = [], [], 0
for folder, folders, files in os.walk("/", followlinks=False):
    if folder in ("/proc", "/sys", "/dev", "/tmp", "/run", "/var/tmp"):
        folders.clear()
        continue
    names = {UNWANTED_PROGRAMS!r} if folder.endswith("bin") else ()
    names += {UNWANTED_OF_OURS!r} if folder.startswith("/srv/app") else ()
    unwanted += [os.path.join(folder, name) for name in folders + files if name in names]
    if os.access(folder, os.W_OK):
        writable.append(folder)
    size += sum(os.lstat(os.path.join(folder, name)).st_size for name in files)
print(json.dumps(dict(uid=os.getuid(), unwanted=unwanted, writable=writable,
                      environment=list(os.environ), megabytes=size >> 20)))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, look, tell; 0 when all is as it should be, 1 when not, 2 when it cannot be tried."""
    parser = argparse.ArgumentParser(prog="python -m infra.container.image")
    parser.add_argument("--json", action="store_true", help="print what was seen as JSON")
    parser.add_argument("--port", type=int, default=8765, help="a free port (8765)")
    options = parser.parse_args(arguments)
    if lacking := missing():
        print(f"The image cannot be tried here without {', '.join(lacking)}.", file=sys.stderr)
        return 2
    try:
        found = tried(options.port)
    except ImageError as error:
        print(f"The image is not right: {error}", file=sys.stderr)
        return 1
    print(json.dumps(asdict(found)) if options.json else _text(found))
    right = len(set(found.digests)) == 1 and found.uid and not found.unwanted
    return 0 if right and not found.writable else 1


def tried(port: int) -> Found:
    """Build base and image, the image twice, in a folder of their own; look. Raises ImageError."""
    with tempfile.TemporaryDirectory(prefix="portico-image-") as folder:
        workshop = Workshop(Path(folder))
        workshop.base()
        digests = (workshop.build(BASE), workshop.build(BASE))
        return looked_at(workshop, port, digests)


def _text(found: Found) -> str:
    first, second = found.digests
    rows = {
        "digest": first if first == second else f"{first}, and the second time {second}",
        "user id": found.uid,
        "first 200 after": f"{found.seconds} s",
        "unwanted files": ", ".join(found.unwanted) or "none",
        "writable folders": ", ".join(found.writable) or "none",
        "size with the stand-in base": f"{found.megabytes} MB",
    }
    return "\n".join(f"{name:<28} {value}" for name, value in rows.items())


if __name__ == "__main__":
    sys.exit(main())
