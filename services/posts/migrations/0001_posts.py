"""Posts, and a row for each thread that orders whatever happens in it."""

from alembic import op

revision = "0001"
down_revision = None

# PostgreSQL's text parser looks for URLs, paths, tags and numbers around these characters, and each
# look may go on to the end of the text: 32,000 characters of `a_a_a_` cost it nine seconds.
_NO_WORDS = "<&_/.:@~+=?#%-"


def upgrade() -> None:
    """`thread_activity.version` is raised under the row's lock by every transaction that touches
    a post of the thread; `delivered` is the version that threads has acknowledged. Each version
    has its row in `thread_events`. `removed_threads` and `removals` are what posts has learnt of
    removed threads, and how far it has read."""
    op.execute(f"""
        CREATE TABLE posts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            thread bigint NOT NULL,
            author bigint NOT NULL,
            by_starter boolean NOT NULL,
            text text NOT NULL,
            html text NOT NULL,
            reply_to bigint REFERENCES posts,
            created_at timestamptz NOT NULL,
            edited_at timestamptz,
            removed_at timestamptz,
            search tsvector NOT NULL GENERATED ALWAYS AS (
                to_tsvector('english', translate(text, '{_NO_WORDS}', '{" " * len(_NO_WORDS)}'))
            ) STORED
        )
    """)
    op.execute("CREATE INDEX posts_in_thread ON posts (thread, id)")
    op.execute("CREATE INDEX posts_by_author ON posts (author, id)")
    op.execute("CREATE INDEX posts_search ON posts USING gin (search)")
    op.execute("""
        CREATE TABLE revisions (
            post bigint NOT NULL REFERENCES posts,
            number integer NOT NULL,
            text text NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (post, number)
        )
    """)
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
    op.execute("""
        CREATE TABLE thread_events (
            thread bigint NOT NULL,
            version bigint NOT NULL,
            kind text NOT NULL CHECK (kind IN ('post', 'edit', 'remove')),
            post bigint NOT NULL REFERENCES posts,
            PRIMARY KEY (thread, version)
        )
    """)
    op.execute("CREATE TABLE removed_threads (thread bigint PRIMARY KEY)")
    op.execute("CREATE TABLE removals (position bigint NOT NULL)")
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
