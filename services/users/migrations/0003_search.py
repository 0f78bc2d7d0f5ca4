"""People are found by the beginnings of their names."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """With collation `C` an index has what begins alike side by side, whatever the database's."""
    with op.get_context().autocommit_block():
        for column in ("username", "name"):
            # One that was interrupted leaves an index that is not valid.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS users_by_{column}")
            op.execute(f"""
                CREATE INDEX CONCURRENTLY users_by_{column} ON users
                    ((lower({column}) COLLATE "C"), id) WHERE deleted_at IS NULL
            """)
