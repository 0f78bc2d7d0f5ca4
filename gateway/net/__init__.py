"""Time, TLS and other parts without HTTP."""
