"""Old sessions are found by their age."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Before, sessions that had ended by their age were deleted at the next sign-in of their user,
    and stayed if there was none."""
    with op.get_context().autocommit_block():
        # One that was interrupted leaves an index that is not valid.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS sessions_age")
        op.execute("CREATE INDEX CONCURRENTLY sessions_age ON sessions (created_at)")
