"""What posts stores of a user."""

from kernel.export.export import ALLOWANCES, IDEMPOTENCY_KEYS, LAST_DONE, NOTICES, Part

EXPORTED = (
    Part("posts", "author = $1", ("id",), without=("html", "search", "indexed_at", "removed_by")),
    Part(
        "revisions",
        "posts.author = $1 AND posts.id >= $2",
        ("post", "number"),
        source="posts JOIN revisions ON revisions.post = posts.id",
    ),
    Part("readers", "user_id = $1", ("user_id",)),
    Part("read_positions", "user_id = $1", ("thread",)),
    NOTICES,
    LAST_DONE,
    ALLOWANCES,
    IDEMPOTENCY_KEYS,
)
"""Removed posts are among them, with the reason, but not with the moderator's name."""
