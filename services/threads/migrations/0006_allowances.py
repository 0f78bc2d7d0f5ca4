"""How often somebody has changed titles in a window of time."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """`subject` is a user's id, `began_at` the beginning of the window in which `used` counts. The
    previous version of the code does not count."""
    op.execute("""
        CREATE TABLE allowances (
            subject text NOT NULL,
            policy text NOT NULL,
            began_at timestamptz NOT NULL,
            used integer NOT NULL,
            PRIMARY KEY (subject, policy)
        ) WITH (
            autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
            autovacuum_vacuum_cost_delay = 0
        )
    """)
    op.execute("CREATE INDEX allowances_age ON allowances (policy, began_at)")
