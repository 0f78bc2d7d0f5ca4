"""Notifications of what has changed, for the processes that keep answers."""

from alembic import op

revision = "0005"
down_revision = "0004"

_EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
_OF_POSTS = "SELECT 'thread/' || thread FROM changed UNION SELECT 'author/' || author FROM changed"
_OF_REMOVED_THREADS = "SELECT 'thread/' || thread FROM changed UNION SELECT 'authors'"


def upgrade() -> None:
    """After each statement that changes posts or removed threads, in whichever program, NOTIFY
    sends `newest`, and `thread/7` and `author/3` or `authors` of each; `*`, which is anything, when
    the rows are more than 140, whose tags a payload of 8,000 bytes might not hold."""
    for table, tags in (("posts", _OF_POSTS), ("removed_threads", _OF_REMOVED_THREADS)):
        op.execute(f"""
            CREATE FUNCTION notify_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                tags text;
                number integer;
            BEGIN
                SELECT count(*) INTO number FROM (SELECT FROM changed LIMIT 141) AS first;
                IF number > 140 THEN
                    PERFORM pg_notify('changes', '*');
                ELSIF number > 0 THEN
                    SELECT string_agg(tag, ' ') INTO tags FROM ({tags}) AS every (tag);
                    PERFORM pg_notify('changes', 'newest ' || tags);
                END IF;
                RETURN NULL;
            END
            $$
        """)  # noqa: S608 - the constants above
        for event, rows in _EVENTS.items():
            op.execute(f"""
                CREATE TRIGGER {table}_{event.lower()}_notifies AFTER {event} ON {table}
                REFERENCING {rows} TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION notify_of_{table}()
            """)
