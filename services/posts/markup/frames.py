"""What `pool` and `worker` send to each other.

A frame is a letter, a length in 4 bytes, and that many bytes of UTF-8: `t` for a text to render;
in the answer, `h` for its HTML, `r` for the sentence of a refusal, or `d` for the traceback of a
defect.
"""

import struct

HEADER = struct.Struct(">cI")
TEXT, HTML, REFUSAL, DEFECT = b"t", b"h", b"r", b"d"


def frame(kind: bytes, content: str) -> bytes:
    """The bytes of a frame."""
    body = content.encode()
    return HEADER.pack(kind, len(body)) + body
