"""Who wrote the last post of a thread."""

from alembic import op

revision = "0008"
down_revision = "0007"

_SHOWN = (
    "id", "title", "created_by", "created_at", "edited_at", "version", "locked", "pinned",
    "removal", "post_count", "last_post_at", "last_post_by", "active_at",
)  # fmt: skip


def upgrade() -> None:
    """`last_post_by` is the author's id. It is empty for posts from before this migration, until
    there is a newer one in their thread: posts reports it with the other numbers of a thread.

    The function notifies as before (0007), and also if this column changes.
    """
    op.execute("""
        DO $$
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            FOR attempt IN 1..60 LOOP
                BEGIN
                    ALTER TABLE threads ADD COLUMN IF NOT EXISTS last_post_by bigint;
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
            RAISE 'The table threads has been in use for a minute without a pause.';
        END $$
    """)
    before, after = (
        ", ".join(f"{row}.{name}" for name in _SHOWN) for row in ("previous", "changed")
    )
    op.execute(f"""
        CREATE OR REPLACE FUNCTION notify_of_shown_threads() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            tags text;
            number integer;
        BEGIN
            SELECT string_agg('thread/' || id, ' '), count(*) INTO tags, number FROM (
                SELECT changed.id FROM previous JOIN changed ON changed.id = previous.id
                WHERE ({before}) IS DISTINCT FROM ({after}) LIMIT 281
            ) AS shown;
            IF number > 280 THEN
                PERFORM pg_notify('changes', '*');
            ELSIF number > 0 THEN
                PERFORM pg_notify('changes', 'list ' || tags);
            END IF;
            RETURN NULL;
        END
        $$
    """)  # noqa: S608 - the columns above
