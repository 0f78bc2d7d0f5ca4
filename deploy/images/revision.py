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
            "that anybody can tell what runs; or say ALLOW_DIRTY=1, and the images are named "
            "after what is here"
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
            "There is no git to say which revision this is: name it, with REVISION=..."
        ) from None
    if done.returncode != 0:
        raise CannotDeployError(
            "git cannot say which revision this is; name it, with REVISION=... (it says: "
            f"{done.stderr.strip()})"
        )
    return done.stdout
