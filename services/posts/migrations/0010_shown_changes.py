"""Changes of posts are notified only if they change what answers show."""

from alembic import op

revision = "0010"
down_revision = "0009"

_SHOWN = (
    "id", "thread", "author", "text", "html", "reply_to", "created_at", "edited_at", "edited_by",
    "edited_by_at", "removed_at",
)  # fmt: skip


def upgrade() -> None:
    """Filling in a word index or rendering again updates rows, too, and would make processes drop
    the stored responses of their threads. So the trigger after an UPDATE compares old and new rows.
    It sends what it sent before (0005), for the rows whose shown columns differ."""
    before, after = (
        ", ".join(f"{row}.{name}" for name in _SHOWN) for row in ("previous", "changed")
    )
    op.execute(f"""
        CREATE OR REPLACE FUNCTION notify_of_shown_posts() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            tags text;
            number integer;
        BEGIN
            WITH shown AS MATERIALIZED (
                SELECT changed.thread, changed.author
                FROM previous JOIN changed ON changed.id = previous.id
                WHERE ({before}) IS DISTINCT FROM ({after}) LIMIT 141
            )
            SELECT (SELECT count(*) FROM shown), string_agg(tag, ' ') INTO number, tags FROM (
                SELECT 'thread/' || thread FROM shown UNION SELECT 'author/' || author FROM shown
            ) AS every (tag);
            IF number > 140 THEN
                PERFORM pg_notify('changes', '*');
            ELSIF number > 0 THEN
                PERFORM pg_notify('changes', 'newest ' || tags);
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
                    CREATE OR REPLACE TRIGGER posts_update_notifies AFTER UPDATE ON posts
                    REFERENCING OLD TABLE AS previous NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION notify_of_shown_posts();
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
            RAISE 'The table posts has been in use for a minute without a pause.';
        END $$
    """)
