"""The settings of the cases context."""

from pydantic import Field
from pydantic_settings import BaseSettings

from kernel.errors import Policy
from kernel.process.settings import DatabasePassword, DatabaseUrl


class CaseSettings(BaseSettings):
    """The database, and limits. A user may report posts `report_limit` times in `report_window`
    seconds; a limit of 0 is none."""

    cases_database_password: DatabasePassword = None
    cases_database_url: DatabaseUrl
    report_limit: int = Field(default=20, ge=0)
    report_window: int = Field(default=24 * 60 * 60, ge=1)

    @property
    def for_reports(self) -> Policy:
        """The limit of reports."""
        return Policy("report", self.report_limit, self.report_window)
