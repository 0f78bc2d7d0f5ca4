"""How far each user has read."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """`readers.read_up_to`: posts with ids up to this one count as read, in threads without a row
    in `read_positions`, whose `post` is the highest post that the user has read in the thread."""
    op.execute("""
        CREATE TABLE IF NOT EXISTS readers (
            user_id bigint PRIMARY KEY,
            read_up_to bigint NOT NULL
        )
    """)
    # Updates that change no indexed column stay on their page if it has space.
    op.execute("""
        CREATE TABLE IF NOT EXISTS read_positions (
            user_id bigint NOT NULL REFERENCES readers ON DELETE CASCADE,
            thread bigint NOT NULL,
            post bigint NOT NULL,
            PRIMARY KEY (user_id, thread)
        ) WITH (
            fillfactor = 80,
            autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500
        )
    """)
    op.execute("""
        CREATE INDEX IF NOT EXISTS read_positions_of_thread ON read_positions (thread)
    """)
