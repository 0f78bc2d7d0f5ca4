"""Changes of users are notified only if they change what answers show."""

from alembic import op

revision = "0007"
down_revision = "0006"

_SHOWN = ("id", "username", "name", "bio", "role", "created_at", "deleted_at")


def upgrade() -> None:
    """No stored response shows a password or an email address, but changing one makes processes
    drop responses about its user. So the trigger after an UPDATE compares old and new rows. It
    sends what it sent before (0005), for the rows whose shown columns differ."""
    before, after = (
        ", ".join(f"{row}.{name}" for name in _SHOWN) for row in ("previous", "changed")
    )
    op.execute(f"""
        CREATE OR REPLACE FUNCTION notify_of_shown_users() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            tags text;
            number integer;
        BEGIN
            SELECT string_agg('user/' || id, ' '), count(*) INTO tags, number FROM (
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
                    CREATE OR REPLACE TRIGGER users_update_notifies AFTER UPDATE ON users
                    REFERENCING OLD TABLE AS previous NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION notify_of_shown_users();
                    RETURN;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(1);
                END;
            END LOOP;
            RAISE 'The table users has been in use for a minute without a pause.';
        END $$
    """)
