"""Posts are rendered again, with task lists and footnotes."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """The index has exactly the posts whose HTML was not made by version 3 of the rules
    (docs/decisions/rendering-again.md)."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS posts_to_render")
        op.execute("""
            CREATE INDEX CONCURRENTLY posts_to_render ON posts (id)
            WHERE markup IS DISTINCT FROM 3
                OR rendered_at IS DISTINCT FROM coalesce(edited_at, created_at)
        """)
