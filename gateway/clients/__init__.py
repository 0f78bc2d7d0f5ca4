"""Connections from clients, over HTTP/1 and HTTP/2."""
