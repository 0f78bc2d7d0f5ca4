"""What is deleted when it is old gets its age, and hot tables are vacuumed sooner."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The events of before have the time of this migration. With the usual settings autovacuum
    waits until a fifth of a table has changed, which is two million posts of ten."""
    op.execute("""
        DO $$
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            FOR attempt IN 1..60 LOOP
                BEGIN
                    ALTER TABLE thread_events
                        ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now();
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
            RAISE 'The table thread_events has been in use for a minute without a pause.';
        END $$
    """)
    for table in ("posts", "thread_events", "revisions"):
        op.execute(f"""
            ALTER TABLE {table} SET (
                autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
                autovacuum_analyze_scale_factor = 0.02
            )
        """)
    for table in ("thread_activity", "last_done", "allowances", "idempotency_keys"):
        op.execute(f"""
            ALTER TABLE {table} SET (
                autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
                autovacuum_vacuum_cost_delay = 0
            )
        """)
    with op.get_context().autocommit_block():
        for table in ("thread_events", "revisions"):
            # One that was interrupted leaves an index that is not valid.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {table}_age")
            op.execute(f"CREATE INDEX CONCURRENTLY {table}_age ON {table} (created_at)")
