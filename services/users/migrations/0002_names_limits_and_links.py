"""Names that stay reserved, limits by number, where people have signed in from, and who made a
link."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """`former_usernames` has the SHA-256 hashes of the names of people who have left, and
    `known_addresses` those of names that have signed in from an address. A link for a new password
    without `issued_by` was made by code that did not record it, and does not work. Links made
    with an `Idempotency-Key` are deleted from where their answers were stored."""
    op.execute("CREATE TABLE former_usernames (name bytea PRIMARY KEY)")
    op.execute("""
        CREATE TABLE allowances (
            subject text NOT NULL,
            policy text NOT NULL,
            began_at timestamptz NOT NULL,
            used integer NOT NULL,
            PRIMARY KEY (subject, policy)
        )
    """)
    op.execute("CREATE INDEX allowances_age ON allowances (policy, began_at)")
    op.execute("""
        CREATE TABLE known_addresses (
            name bytea NOT NULL,
            address text NOT NULL,
            last_at timestamptz NOT NULL,
            PRIMARY KEY (name, address)
        )
    """)
    op.execute("CREATE INDEX known_addresses_age ON known_addresses (last_at)")
    op.execute("ALTER TABLE password_resets ADD COLUMN issued_by bigint REFERENCES users")
    op.execute("CREATE INDEX users_staff ON users (id) WHERE role <> 'member'")
    op.execute("DELETE FROM idempotency_keys WHERE path LIKE '/api/users/%/password-reset'")
