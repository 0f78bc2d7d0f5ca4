"""Threads, with what posts tells of their activity."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """`active_at` is what the list is ordered by: the last post, or the start until then."""
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
            activity_version bigint NOT NULL DEFAULT 0,
            post_count bigint NOT NULL DEFAULT 0,
            posts_by_others bigint NOT NULL DEFAULT 0,
            last_post_at timestamptz,
            active_at timestamptz NOT NULL
                GENERATED ALWAYS AS (coalesce(last_post_at, created_at)) STORED
        )
    """)
    op.execute("CREATE INDEX threads_active ON threads (pinned, active_at, id)")
