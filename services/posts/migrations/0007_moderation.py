"""The log of what moderators did, who removed a post, and who edited it."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """`moderation_log.target` is the id of the post, `user_id` that of its author. `key` identifies
    an act that another context asked for, and may ask for again.

    `posts.removed_by` is missing where the previous version of the code removed a post. That
    version does not write `edited_by` either: it says who wrote the text, if it was not the author,
    while `edited_by_at` is the time of the last edit. In `revisions` it belongs to the old text.
    """
    op.execute("""
        CREATE TABLE IF NOT EXISTS moderation_log (
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
        CREATE INDEX IF NOT EXISTS moderation_log_of_user ON moderation_log (user_id, id)
        WHERE user_id <> moderator
    """)
    op.execute("""
        DO $$
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            FOR attempt IN 1..60 LOOP
                BEGIN
                    ALTER TABLE posts
                        ADD COLUMN IF NOT EXISTS removed_by bigint,
                        ADD COLUMN IF NOT EXISTS removal_reason text,
                        ADD COLUMN IF NOT EXISTS edited_by bigint,
                        ADD COLUMN IF NOT EXISTS edited_by_at timestamptz;
                    ALTER TABLE revisions ADD COLUMN IF NOT EXISTS edited_by bigint;
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
            RAISE 'The table posts has been in use for a minute without a pause.';
        END $$
    """)
    with op.get_context().autocommit_block():
        # One that was interrupted leaves an index that is not valid.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS posts_removed")
        op.execute("""
            CREATE INDEX CONCURRENTLY posts_removed ON posts (thread, id)
            WHERE removed_at IS NOT NULL
        """)
