"""Why the backend says no: a status and perhaps a rule for the caller, a reason for the log.

Nothing of the token is in any of them.
"""

MESSAGES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Content Too Large",
    503: "Service Unavailable",
}


class Refused(Exception):
    """The request ends here. `reason` is one of our own words and goes to the log.

    With `because`, a sentence, the caller is told both: for a refusal that gives nothing away.
    """

    def __init__(self, status: int, reason: str, because: str | None = None) -> None:
        self.status = status
        self.reason = reason
        self.because = because
        super().__init__(f"{status} {reason}")
