"""The bodies of requests and responses about posts."""

from typing import Annotated

from pydantic import Field

from kernel.http.fields import Id, Markdown, RequestBody, Resource, Timestamp
from services.posts import model

_LARGEST_BODY = 512 * 1024  # 32,000 characters, all of them escaped

Text = Annotated[
    Markdown,
    Field(min_length=1, max_length=model.LONGEST_TEXT, examples=["Is the water *warm* enough?"]),
]


class Post(Resource):
    """A post. `text` is the Markdown that was written, `html` the sanitised HTML made of it.
    `editedBy` is who wrote this text, if that was not the author."""

    id: Id
    thread: Id
    user: Id
    text: str
    html: str
    reply_to: Id | None
    created_at: Timestamp
    edited_at: Timestamp | None
    edited_by: Id | None


class FoundPost(Post):
    """A post that was searched for. `snippet` is HTML: a piece of the text, with what was found in
    `<mark>`."""

    snippet: str


class Revision(Resource):
    """What a post said once. `editedBy` is who wrote it, if that was not the author."""

    number: int
    text: str
    created_at: Timestamp
    edited_by: Id | None


class NewPost(RequestBody):
    """What it takes to post. `replyTo` is a post of the same thread."""

    largest_body = _LARGEST_BODY
    thread: Id
    text: Text
    reply_to: Id | None = None


class PostChanges(RequestBody):
    """A new text."""

    largest_body = _LARGEST_BODY
    text: Text


class Draft(RequestBody):
    """Text that may become a post."""

    largest_body = _LARGEST_BODY
    text: Text


class Preview(Resource):
    """The HTML that a post with this text would have."""

    html: str


class RemovedPost(Post):
    """A post that was removed. `removedBy` is null if nobody recorded who removed it; otherwise its
    author did, or a moderator, who can restore it."""

    removed_at: Timestamp
    removed_by: Id | None
    reason: str | None
