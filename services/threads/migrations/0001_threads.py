"""Threads, with what posts tells of their activity."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """`active_at` is what the list is ordered by: the last post, or the start until then.

    `removal` numbers the removed threads. Removing takes its number from the one row of
    `removals`, under that row's lock, so that numbers become visible in their order.
    """
    op.execute("""
        CREATE TABLE threads (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            title text NOT NULL,
            created_by bigint NOT NULL,
            created_at timestamptz NOT NULL,
            edited_at timestamptz,
            version bigint NOT NULL DEFAULT 1,
            locked boolean NOT NULL DEFAULT false,
            pinned boolean NOT NULL DEFAULT false,
            removal bigint UNIQUE,
            activity_version bigint NOT NULL DEFAULT 0,
            post_count bigint NOT NULL DEFAULT 0,
            posts_by_others bigint NOT NULL DEFAULT 0,
            last_post_at timestamptz,
            active_at timestamptz NOT NULL
                GENERATED ALWAYS AS (coalesce(last_post_at, created_at)) STORED,
            search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', title)) STORED
        )
    """)
    op.execute(
        "CREATE INDEX threads_active ON threads (pinned, active_at, id) WHERE removal IS NULL"
    )
    op.execute("CREATE INDEX threads_by_author ON threads (created_by, id)")
    op.execute("CREATE INDEX threads_search ON threads USING gin (search)")
    op.execute("CREATE TABLE removals (last bigint NOT NULL)")
    op.execute("INSERT INTO removals VALUES (0)")
    op.execute("""
        CREATE TABLE last_done (
            user_id bigint NOT NULL,
            policy text NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (user_id, policy)
        )
    """)
    op.execute("""
        CREATE TABLE idempotency_keys (
            user_id bigint NOT NULL,
            method text NOT NULL,
            path text NOT NULL,
            key text NOT NULL,
            digest bytea NOT NULL,
            status integer NOT NULL,
            headers text NOT NULL,
            body bytea NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, method, path, key)
        )
    """)
    op.execute("CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)")
