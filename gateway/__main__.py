"""``python -m gateway``, and ``alb`` where the gateway is installed by itself."""

import sys

from gateway.main import main


def command() -> int:
    """Runs ``alb``; its exit code."""
    return main(sys.argv[1:], "alb")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], "python -m gateway"))
