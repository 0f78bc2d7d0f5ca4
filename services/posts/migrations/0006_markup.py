"""Which rules each post's HTML was made by, so that it is made again when they have changed."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """`markup` is the version of the rules, `rendered_at` the time of the edit that the HTML was
    made of. Posts for which one of them is wrong or missing are rendered by a background task of
    posts (`services.posts.markup.rerendering`), which finds them by the index: it has only those.

    The previous version of the code goes on working. What it writes leaves both as they are, so the
    task renders that, too.
    """
    op.execute("""
        DO $$
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            FOR attempt IN 1..60 LOOP
                BEGIN
                    ALTER TABLE posts
                        ADD COLUMN IF NOT EXISTS markup smallint,
                        ADD COLUMN IF NOT EXISTS rendered_at timestamptz;
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
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS posts_to_render")
        op.execute("""
            CREATE INDEX CONCURRENTLY posts_to_render ON posts (id)
            WHERE markup IS DISTINCT FROM 1
                OR rendered_at IS DISTINCT FROM coalesce(edited_at, created_at)
        """)
