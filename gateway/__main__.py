"""``python -m gateway``, or ``alb`` if the gateway is installed as a package."""

import sys

from gateway.main import main


def command() -> int:
    """Runs ``alb`` and returns its exit code."""
    return main(sys.argv[1:], "alb")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], "python -m gateway"))
