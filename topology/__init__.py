"""The parts of the board and how they are connected: plain values, declared once.

Uses the standard library only, so that every package can import it. Compose, the Dockerfile and the
templates in infra/ repeat these facts in their own formats; tests/architecture/test_topology.py
compares them.
"""
