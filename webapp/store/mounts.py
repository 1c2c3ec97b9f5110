"""Whether a path lies on a disk of this machine."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

# File systems whose locks or shared memory do not hold between machines.
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|ncpfs|afs|ceph|lustre|beegfs|gfs2?|ocfs2"
    r"|fuse\.(sshfs|s3fs|glusterfs|ceph|goofys|rclone|mount-s3|gcsfuse|blobfuse2?|juicefs)"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_kind(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system that `path` is or would be on, None for a local one.

    None also where the machine does not tell. The table is Linux's: proc(5), "mountinfo".
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    place, longest, kind = path.resolve(), -1, ""
    for line in lines:
        fields, _, after = line.partition(" - ")
        point = Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields.split(" ")[4]))
        # A later mount hides an earlier one at the same place.
        if place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split(" ")[0]
    return kind if _NETWORK.fullmatch(kind) else None
