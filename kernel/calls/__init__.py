"""What bounds the calls between services: the caller's deadline, and a circuit breaker."""
