"""Changes of threads are notified only if they change what answers show."""

from alembic import op

revision = "0007"
down_revision = "0006"

_SHOWN = (
    "id", "title", "created_by", "created_at", "edited_at", "version", "locked", "pinned",
    "removal", "post_count", "last_post_at", "active_at",
)  # fmt: skip


def upgrade() -> None:
    """Filling in a word index updates rows, too, and would make processes drop the stored
    responses of threads. So the trigger after an UPDATE compares old and new rows. It sends what it
    sent before (0004), for the rows whose shown columns differ."""
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
    op.execute("""
        DO $$
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            FOR attempt IN 1..60 LOOP
                BEGIN
                    CREATE OR REPLACE TRIGGER threads_update_notifies AFTER UPDATE ON threads
                    REFERENCING OLD TABLE AS previous NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION notify_of_shown_threads();
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
            RAISE 'The table threads has been in use for a minute without a pause.';
        END $$
    """)
