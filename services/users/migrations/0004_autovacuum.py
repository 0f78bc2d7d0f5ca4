"""Hot tables are vacuumed sooner."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """With the usual settings autovacuum waits until a fifth of a table has changed. Rows of these
    change with every visit or sign-in."""
    for table in ("sessions", "sign_in_attempts", "allowances", "idempotency_keys"):
        op.execute(f"""
            ALTER TABLE {table} SET (
                autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
                autovacuum_vacuum_cost_delay = 0
            )
        """)
