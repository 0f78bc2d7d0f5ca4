"""The log of what moderators and admins did."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """`target` is the id of what the act changed, `user_id` that of the user it was done to. `key`
    identifies an act that another context asked for, and may ask for again. The previous version
    of the code does not write here."""
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
