"""HTTP/1 messages, parsed without I/O."""
