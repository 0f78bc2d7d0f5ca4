"""The log of what moderators and admins decided."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """`target` is the id of the case, `user_id` that of the author of its post. The previous
    version of the code does not write here; what it decides is in `decisions` only."""
    op.execute("""
        CREATE TABLE moderation_log (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL,
            moderator bigint NOT NULL,
            act text NOT NULL,
            target bigint NOT NULL,
            user_id bigint NOT NULL,
            reason text,
            key text UNIQUE
        )
    """)
    op.execute("""
        CREATE INDEX moderation_log_of_user ON moderation_log (user_id, id)
        WHERE user_id <> moderator
    """)
