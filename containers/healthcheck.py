"""`python -IS containers/healthcheck.py PATH`: whether this container's process answers.

An image's HEALTHCHECK runs this every few seconds. It needs nothing but the interpreter; `-IS`
(isolated, without site-packages) halves its start-up time. The exit status is 0 if the response
from port `PORT` of this container has status 200, and 1 otherwise, after printing the problem.
"""

import http.client
import os
import sys

TIMEOUT = 2.0
"""Timeout for the connection and for each read, in seconds."""


def check(port: int, path: str) -> str | None:
    """What is wrong with `GET path` on `port` of this machine; None if the status is 200."""
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
    """Check the path from the command line on the port from the environment."""
    sys.exit(check(int(os.environ["PORT"]), sys.argv[1]))


if __name__ == "__main__":
    main()
