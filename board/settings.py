"""The settings of the commands: the databases' URLs and passwords."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from kernel.process.settings import DatabasePassword, DatabaseUrl
from topology.contexts import CONTEXTS


class _Databases(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    def by_context(self) -> Mapping[str, str]:
        """The URL of each context's database."""
        return {context.name: getattr(self, context.database_url) for context in CONTEXTS}


class _Bootstrap(_Databases):
    admin_database_password: DatabasePassword = None
    admin_database_url: DatabaseUrl


Base = TypeVar("Base", bound=_Databases)


def _with_databases(name: str, base: type[Base]) -> type[Base]:
    fields: dict[str, Any] = {}
    for context in CONTEXTS:
        # The URL's validator reads the password, so the password comes first.
        fields[context.database_password] = (DatabasePassword, None)
        fields[context.database_url] = (DatabaseUrl, ...)
    return create_model(name, __base__=base, __module__=__name__, **fields)


Databases = _with_databases("Databases", _Databases)
"""Every context's database, in the settings that its service reads too."""

Bootstrap = _with_databases("Bootstrap", _Bootstrap)
"""The same, and the URL of a role that may create databases and roles."""
