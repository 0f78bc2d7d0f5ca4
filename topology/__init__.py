"""What the board consists of and how its parts are connected: plain values, declared once.

Standard library only, and importable by every package. Compose, the Dockerfile and the templates in
infra/ say the same in their own languages; tests/architecture/test_topology.py compares them.
"""
