"""Posts, and a row for each thread that orders whatever happens in it."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """`thread_activity.version` is raised under the row's lock by every transaction that touches
    a post of the thread; `delivered` is the version that threads has acknowledged."""
    op.execute("""
        CREATE TABLE posts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            thread bigint NOT NULL,
            author bigint NOT NULL,
            text text NOT NULL,
            html text NOT NULL,
            reply_to bigint REFERENCES posts,
            created_at timestamptz NOT NULL,
            edited_at timestamptz
        )
    """)
    op.execute("CREATE INDEX posts_in_thread ON posts (thread, id)")
    op.execute("CREATE INDEX posts_by_author ON posts (author, id)")
    op.execute("""
        CREATE TABLE thread_activity (
            thread bigint PRIMARY KEY,
            version bigint NOT NULL,
            post_count bigint NOT NULL,
            posts_by_others bigint NOT NULL,
            last_post_at timestamptz,
            delivered bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 50)
    """)
    op.execute("""
        CREATE INDEX thread_activity_undelivered ON thread_activity (thread)
        WHERE version > delivered
    """)
