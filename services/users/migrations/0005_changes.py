"""Notifications of what has changed, for the processes that keep answers."""

from alembic import op

revision = "0005"
down_revision = "0004"

_EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def upgrade() -> None:
    """After each statement that changes users, in whichever program, NOTIFY sends `list` and
    `user/7` of each; `*`, which is anything, when they are more than 280, whose
    tags a payload of 8,000 bytes might not hold."""
    op.execute("""
        CREATE FUNCTION notify_changes() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            tags text;
            number integer;
        BEGIN
            SELECT string_agg('user/' || id, ' '), count(*) INTO tags, number
            FROM (SELECT id FROM changed LIMIT 281) AS first;
            IF number > 280 THEN
                PERFORM pg_notify('changes', '*');
            ELSIF number > 0 THEN
                PERFORM pg_notify('changes', 'list ' || tags);
            END IF;
            RETURN NULL;
        END
        $$
    """)
    for event, table in _EVENTS.items():
        op.execute(f"""
            CREATE TRIGGER users_{event.lower()}_notifies AFTER {event} ON users
            REFERENCING {table} TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION notify_changes()
        """)
