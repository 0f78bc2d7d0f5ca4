"""Search: words that the board cuts instead of PostgreSQL, in an index that is read in blocks."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The column `search` is written by the board from now on, with `indexed_at`, the time of the
    edit that it was made of. Rows in which that is missing are made searchable by a background
    task of threads (`kernel.search.indexer`). `words` has the words of all titles.

    The previous version of the code goes on working: it leaves both columns to the background task,
    and its own search finds words of ASCII as before. Each step may be done again, and none waits
    for a lock longer than a second while others wait behind it.
    """
    op.execute("""
        DO $$
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            FOR attempt IN 1..60 LOOP
                BEGIN
                    ALTER TABLE threads
                        ALTER COLUMN search DROP EXPRESSION IF EXISTS,
                        ALTER COLUMN search DROP NOT NULL,
                        ADD COLUMN IF NOT EXISTS indexed_at timestamptz;
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
            RAISE 'The table threads has been in use for a minute without a pause.';
        END $$
    """)
    op.execute("""CREATE TABLE IF NOT EXISTS words (word text COLLATE "C" PRIMARY KEY)""")
    with op.get_context().autocommit_block():
        # One that was interrupted leaves an index that is not valid.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS threads_words")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS threads_not_indexed")
        # The list of what has not been merged into the index yet is read by every search.
        op.execute("""
            CREATE INDEX CONCURRENTLY threads_words ON threads USING gin (
                search,
                (ARRAY[
                    (id >> 10) * 4 + 0, (id >> 14) * 4 + 1, (id >> 18) * 4 + 2, (id >> 22) * 4 + 3
                ])
            ) WITH (gin_pending_list_limit = 256)
        """)
        op.execute("""
            CREATE INDEX CONCURRENTLY threads_not_indexed ON threads (id)
            WHERE indexed_at IS DISTINCT FROM coalesce(edited_at, created_at)
        """)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS threads_search")
