"""Hot tables are vacuumed sooner."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """With the usual settings autovacuum waits until a fifth of a table has changed. Each post
    changes the row of its thread, so pages of `threads` have room for the new version beside the
    old one."""
    op.execute("""
        ALTER TABLE threads SET (
            fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,
            autovacuum_analyze_scale_factor = 0.05
        )
    """)
    for table in ("last_done", "idempotency_keys"):
        op.execute(f"""
            ALTER TABLE {table} SET (
                autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
                autovacuum_vacuum_cost_delay = 0
            )
        """)
