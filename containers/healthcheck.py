"""`python -IS containers/healthcheck.py PATH`: whether this container's process answers.

What an image's HEALTHCHECK runs every few seconds: it needs no tool beside the interpreter, and
started like this (isolated, without site-packages) it costs half as much. Exit status 0 for an
answer of 200 from port `PORT` of this container, 1 for anything else, which it prints.
"""

import http.client
import os
import sys

TIMEOUT = 2.0
"""Seconds for connecting, and for each read."""


def check(port: int, path: str) -> str | None:
    """What is wrong with `GET path` on `port` of this machine; None when the answer is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"GET {path}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return None if status == http.client.OK else f"GET {path}: {status}"


def main() -> None:
    """Check the path that the command line names, on the port of the environment."""
    sys.exit(check(int(os.environ["PORT"]), sys.argv[1]))


if __name__ == "__main__":
    main()
