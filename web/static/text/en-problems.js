// The texts in English of the pages that explain problems, which few visitors load.
export default {
  "problem:malformed-request": "The request cannot be read",
  "problem:malformed-request:what":
    "The body is not JSON, a header field is invalid, or a cursor is not one that the board has returned.",
  "problem:malformed-request:do":
    "Correct the request. Take cursors from the Link field of a response; do not build them yourself.",
  "problem:unauthenticated": "Sign in first",
  "problem:unauthenticated:what":
    "The request needs a session, and has none, or one that has ended. A session ends after 14 days without use, after 60 days in any case, when the password is changed, and when the user is banned.",
  "problem:unauthenticated:do": "Sign in (POST /api/sessions) and send the new token or cookie.",
  "problem:forbidden": "Not allowed",
  "problem:forbidden:what":
    "You are signed in, but you may not do this: it belongs to another user, it needs another role, or a page of another site sent the request.",
  "problem:forbidden:do":
    "Ask the owner or a moderator. If your own program sends the request, send the token as Authorization: Bearer.",
  "problem:banned": "You are banned",
  "problem:banned:what": "A moderator has banned you. The problem’s detail has the reason and the end of the ban.",
  "problem:banned:do":
    "You can still read everything, see your own data, and delete your account. Wait until the ban ends, or contact a moderator.",
  "problem:not-found": "Not found",
  "problem:not-found:what": "No user, thread or post has this id, or it has been deleted.",
  "problem:not-found:do": "Check the id. Deletions are permanent.",
  "problem:no-such-path": "No such path",
  "problem:no-such-path:what": "The API has no operation at this path.",
  "problem:no-such-path:do": "Look up the path in the API documents, at /docs. Paths are case-sensitive.",
  "problem:method-not-allowed": "Method not allowed",
  "problem:method-not-allowed:what": "The path exists, but does not support this method.",
  "problem:method-not-allowed:do": "The Allow field of the response lists the supported methods.",
  "problem:conflict": "Conflict with the current state",
  "problem:conflict:what":
    "The request is valid, but not possible in the current state: the username is taken, the thread is locked, a post was removed by its author and cannot be restored, or the same request is still being processed.",
  "problem:conflict:do": "Read the detail, change what it names, and send the request again.",
  "problem:gone": "No longer here",
  "problem:gone:what": "This path is no longer supported; another path has replaced it.",
  "problem:gone:do": "Read the detail, and look up the new path in the API documents, at /docs.",
  "problem:stale": "It has changed in the meantime",
  "problem:stale:what":
    "Somebody else changed it after you had read it. Your change was rejected, so that theirs is not lost.",
  "problem:stale:do": "Read it again, repeat your change, and send it with the new version.",
  "problem:too-large": "The body is too large",
  "problem:too-large:what": "The request’s body is larger than this operation accepts.",
  "problem:too-large:do": "Send a smaller body.",
  "problem:unsupported-media-type": "The body must be JSON",
  "problem:unsupported-media-type:what": "The body’s Content-Type is not application/json in UTF-8.",
  "problem:unsupported-media-type:do": "Send JSON with Content-Type: application/json.",
  "problem:invalid": "Some fields are wrong",
  "problem:invalid:what":
    "The request can be read, but some fields break a rule. The member “errors” has a pointer to each of them.",
  "problem:invalid:do": "Correct these fields. The rules are in the API documents, at /docs.",
  "problem:precondition-required": "If-Match is missing",
  "problem:precondition-required:what":
    "A change must name the version that it is based on, so that it cannot overwrite somebody else’s change.",
  "problem:precondition-required:do": "Send the ETag of the response that you have read as If-Match.",
  "problem:too-many-requests": "Too many requests",
  "problem:too-many-requests:what": "The limit for requests of this kind has been reached.",
  "problem:too-many-requests:do":
    "Wait for the number of seconds in the Retry-After field. The RateLimit fields have the rest of your quota.",
  "problem:internal-error": "Internal error",
  "problem:internal-error:what": "A defect of the board. It has been logged.",
  "problem:internal-error:do": "Try again. If the error persists, send the request id to the operators.",
  "problem:unavailable": "A part of the board is down",
  "problem:unavailable:what": "The request needs a part of the board that does not answer at the moment.",
  "problem:unavailable:do":
    "Send it again after the number of seconds in Retry-After. Use the same Idempotency-Key, so that nothing is done twice.",
};
