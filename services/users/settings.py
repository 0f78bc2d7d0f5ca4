"""The settings of the users context."""

from pydantic import Field
from pydantic_settings import BaseSettings

from kernel.errors import Policy
from kernel.process.settings import DatabasePassword, DatabaseUrl


class UserDatabase(BaseSettings):
    """The database."""

    users_database_password: DatabasePassword = None
    users_database_url: DatabaseUrl


class SignInLimits(BaseSettings):
    """How many wrong passwords there may be in so many seconds: for one name from one address, and
    from one address for all names. More of the former close the name to the address; more of the
    latter make the address wait between attempts."""

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


class UserSettings(UserDatabase, SignInLimits):
    """The database, and limits. `registration_limit` people may register from one address in
    `registration_window` seconds; 0 is no limit."""

    registration_limit: int = Field(default=20, ge=0)
    registration_window: int = Field(default=60 * 60, ge=1)

    @property
    def for_registrations(self) -> Policy:
        """The limit of registrations from one address."""
        return Policy("registration", self.registration_limit, self.registration_window)
