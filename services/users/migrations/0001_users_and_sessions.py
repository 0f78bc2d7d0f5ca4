"""People, and the sessions in which they are signed in."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Session tokens are kept as SHA-256 hashes: who reads this table cannot sign in with it."""
    op.execute("""
        CREATE TABLE users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            username text NOT NULL,
            name text NOT NULL,
            bio text NOT NULL,
            email text,
            role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'moderator', 'admin')),
            password_hash text NOT NULL,
            created_at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE UNIQUE INDEX users_username ON users (lower(username))")
    op.execute("""
        CREATE TABLE sessions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id bigint NOT NULL REFERENCES users,
            token_hash bytea NOT NULL UNIQUE,
            user_agent text,
            created_at timestamptz NOT NULL,
            last_used_at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX sessions_of_user ON sessions (user_id)")
