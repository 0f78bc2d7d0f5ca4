"""Search for posts, the newest first, with snippets of their texts."""
