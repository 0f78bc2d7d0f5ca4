"""OpenTelemetry spans of a process (docs/decisions/tracing.md)."""
