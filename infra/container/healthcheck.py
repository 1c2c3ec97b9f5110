"""Exit 0 when the application in this container answers /healthz, else 1: for HEALTHCHECK."""

import http.client
import os
import sys

SECONDS = 2.0


def healthy(port: int) -> bool:
    """Whether /healthz on this machine says 200 in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if healthy(int(os.environ.get("PORT") or 8000)) else 1)
