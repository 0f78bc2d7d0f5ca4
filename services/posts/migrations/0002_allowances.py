"""How often somebody has done in a window of time what is limited by number."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """`subject` is a user's id, `began_at` the beginning of the window in which `used` counts."""
    op.execute("""
        CREATE TABLE allowances (
            subject text NOT NULL,
            policy text NOT NULL,
            began_at timestamptz NOT NULL,
            used integer NOT NULL,
            PRIMARY KEY (subject, policy)
        )
    """)
    op.execute("CREATE INDEX allowances_age ON allowances (policy, began_at)")
