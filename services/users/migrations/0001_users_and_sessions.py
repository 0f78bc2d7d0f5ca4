"""People, their sessions, and what moderators and admins have decided about them."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Tokens of sessions and reset links are kept as SHA-256 hashes: who reads these tables cannot
    sign in with them. So are the names of failed sign-ins: people type passwords there, too."""
    op.execute("""
        CREATE TABLE users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            username text NOT NULL,
            name text NOT NULL,
            bio text NOT NULL,
            email text,
            role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'moderator', 'admin')),
            password_hash text,
            created_at timestamptz NOT NULL,
            deleted_at timestamptz,
            CHECK ((password_hash IS NULL) = (deleted_at IS NOT NULL))
        )
    """)
    op.execute("CREATE UNIQUE INDEX users_username ON users (lower(username))")
    op.execute("CREATE INDEX users_admins ON users (id) WHERE role = 'admin'")
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
    op.execute("CREATE INDEX sessions_of_user ON sessions (user_id, id)")
    op.execute("""
        CREATE TABLE bans (
            user_id bigint PRIMARY KEY REFERENCES users,
            reason text NOT NULL,
            until timestamptz,
            banned_by bigint NOT NULL REFERENCES users,
            created_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE password_resets (
            user_id bigint PRIMARY KEY REFERENCES users,
            token_hash bytea NOT NULL UNIQUE,
            expires_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE sign_in_attempts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name bytea NOT NULL,
            address text NOT NULL,
            failed boolean NOT NULL DEFAULT false,
            at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX sign_in_attempts_of_address ON sign_in_attempts (address, at)")
    op.execute("CREATE INDEX sign_in_attempts_of_name ON sign_in_attempts (name)")
    op.execute("CREATE INDEX sign_in_attempts_age ON sign_in_attempts (at)")
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
