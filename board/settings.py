"""Which databases the commands work on."""

from collections.abc import Mapping

from pydantic_settings import BaseSettings, SettingsConfigDict

from kernel.process.settings import DatabasePassword, DatabaseUrl


class UsersDatabase(BaseSettings):
    """The users' database, named by the same variable that the service takes."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    users_database_password: DatabasePassword = None
    users_database_url: DatabaseUrl


class Databases(UsersDatabase):
    """A database a context, named likewise."""

    threads_database_password: DatabasePassword = None
    threads_database_url: DatabaseUrl
    posts_database_password: DatabasePassword = None
    posts_database_url: DatabaseUrl

    def by_context(self) -> Mapping[str, str]:
        """The URL of each context's database."""
        return {
            "users": self.users_database_url,
            "threads": self.threads_database_url,
            "posts": self.posts_database_url,
        }


class Bootstrap(Databases):
    """And where the role that may make databases and roles gets in."""

    admin_database_password: DatabasePassword = None
    admin_database_url: DatabaseUrl
