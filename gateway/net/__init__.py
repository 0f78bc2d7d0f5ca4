"""Time, TLS and other parts that know nothing of HTTP."""
