"""The revision of the code, which is the tag of its images."""

import hashlib
import subprocess
from pathlib import Path

from deploy.errors import CannotDeployError


def of(root: Path, *, allow_dirty: bool) -> str:
    """The commit that is checked out. With uncommitted changes it raises `CannotDeployError`, or,
    if `allow_dirty`, returns the commit with `-dirty` and a digest of the changes."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD").strip()
    changed = _git(root, "status", "--porcelain", "--untracked-files=all")
    if not changed:
        return commit
    if not allow_dirty:
        files = [line[3:] for line in changed.splitlines()]
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        raise CannotDeployError(
            f"Files differ from the commit {commit}: {', '.join(files[:3])}{more}. Commit them, so "
            "that the images' revision identifies the code; or use ALLOW_DIRTY=1, which adds a "
            "digest of the changes to the revision"
        )
    digest = hashlib.sha256(_git(root, "diff", "HEAD", "--binary").encode())
    for name in sorted(_git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")):
        if name:
            digest.update(name.encode())
            digest.update((root / name).read_bytes())
    return f"{commit}-dirty{digest.hexdigest()[:8]}"


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            ["git", *arguments],  # noqa: S607 - whichever the user's PATH has
            cwd=root,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
    except FileNotFoundError:
        raise CannotDeployError(
            "git is not installed, so the revision is unknown: set REVISION=..."
        ) from None
    if done.returncode != 0:
        raise CannotDeployError(
            f"git cannot determine the revision: set REVISION=... ({done.stderr.strip()})"
        )
    return done.stdout
