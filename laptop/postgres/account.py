"""The user that PostgreSQL runs as, and the folders that this user cannot enter.

PostgreSQL refuses to run as root
(https://www.postgresql.org/docs/18/postgres-user.html).
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from laptop.errors import CannotRunError


@dataclass(frozen=True)
class Account:
    """A user to run a process as. `groups` are all its group ids, including `gid`."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def named(name: str) -> Account | None:
    """The account with this name, or None if the system has none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return _account(entry)


def for_server(cluster: Path) -> Account | None:
    """The account to run the server as; None if this process is not root, and needs none.

    It is the owner of an existing cluster. A new cluster belongs to the user `postgres`, or to
    `nobody` if there is no such user.

    Raises:
        CannotRunError: there is no suitable user.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists():
        owner = cluster.stat().st_uid
        if owner != 0:
            try:
                return _account(pwd.getpwuid(owner))
            except KeyError:
                raise CannotRunError(
                    f"{cluster} belongs to user id {owner}, which does not exist on this system: "
                    "change its owner with chown -R, or use another DATA_DIR"
                ) from None
    for name in ("postgres", "nobody"):
        account = named(name)
        if account is not None and account.uid != 0:
            return account
    raise CannotRunError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it "
        "as: create one (useradd --system postgres), or do not run as root"
    )


def closed_folder(folder: Path, account: Account) -> Path | None:
    """The first folder on the path to `folder`, or `folder` itself, that `account` may not enter.

    Considers owner, group and mode only, not access control lists.
    """
    folder = folder.resolve()
    for step in (*reversed(folder.parents), folder):
        status = step.stat()
        if status.st_uid == account.uid:
            enter = status.st_mode & 0o100
        elif status.st_gid in account.groups:
            enter = status.st_mode & 0o010
        else:
            enter = status.st_mode & 0o001
        if not enter:
            return step
    return None


def _account(entry: pwd.struct_passwd) -> Account:
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, tuple(groups))
