"""As whom PostgreSQL runs, and which folders that user cannot enter.

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
    """A user to become: `groups` are all the group ids it belongs to, `gid` among them."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def named(name: str) -> Account | None:
    """The account of that name, or None when the system has none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return _account(entry)


def for_server(cluster: Path) -> Account | None:
    """The account to give up root for; None when this process is not root, and needs none.

    The owner of an existing cluster goes on owning it; a new one belongs to `postgres`, or where
    there is no such user to `nobody`. CannotRunError when there is neither.
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
                    f"{cluster} belongs to user id {owner}, whom this system does not know: "
                    "give it to a user with chown -R, or use another DATA_DIR"
                ) from None
    for name in ("postgres", "nobody"):
        account = named(name)
        if account is not None and account.uid != 0:
            return account
    raise CannotRunError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it "
        "as: make one (useradd --system postgres), or do not run as root"
    )


def closed_folder(folder: Path, account: Account) -> Path | None:
    """The first folder on the way to `folder`, itself included, that `account` may not enter.

    Reads owner, group and mode only: an access control list that grants more is not seen.
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
