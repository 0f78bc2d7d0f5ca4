"""The settings of the users context."""

from pydantic import Field
from pydantic_settings import BaseSettings

from kernel.data.settings import DatabaseSettings
from kernel.errors import Policy
from kernel.process.settings import DatabasePassword, DatabaseUrl


class UserDatabase(BaseSettings):
    """The URL of the users database, and the password of its role."""

    users_database_password: DatabasePassword = None
    users_database_url: DatabaseUrl


class SignInLimits(BaseSettings):
    """Limits of wrong passwords, with their windows in seconds: for one name from one address, and
    for all names from one address. Above the first limit, the address may not sign in with that
    name; above the second, it has to wait between attempts."""

    sign_in_name_failures: int = Field(default=5, ge=1)
    sign_in_name_window: int = Field(default=30 * 60, ge=1)
    sign_in_address_failures: int = Field(default=30, ge=1)
    sign_in_address_window: int = Field(default=60 * 60, ge=1)

    @property
    def for_name(self) -> Policy:
        """The limit of one name from one address."""
        return Policy("sign-in-name", self.sign_in_name_failures, self.sign_in_name_window)

    @property
    def for_address(self) -> Policy:
        """The limit of one address."""
        return Policy("sign-in-address", self.sign_in_address_failures, self.sign_in_address_window)


class UserSettings(DatabaseSettings, UserDatabase, SignInLimits):
    """The database, and limits. At most `registration_limit` users may register from one address in
    `registration_window` seconds, and a user may change their profile `edit_limit` times in
    `edit_window` seconds; 0 means no limit."""

    registration_limit: int = Field(default=20, ge=0)
    registration_window: int = Field(default=60 * 60, ge=1)
    edit_limit: int = Field(default=200, ge=0)
    edit_window: int = Field(default=24 * 60 * 60, ge=1)

    @property
    def for_registrations(self) -> Policy:
        """The limit of registrations from one address."""
        return Policy("registration", self.registration_limit, self.registration_window)

    @property
    def for_edits(self) -> Policy:
        """The limit of changes of a profile."""
        return Policy("edit", self.edit_limit, self.edit_window)
