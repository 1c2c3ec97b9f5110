"""Why the backend says no: a status for the caller, a reason for the log, nothing of the token."""

MESSAGES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    503: "Service Unavailable",
}


class Refused(Exception):
    """The request ends here. `reason` is one of our own words; it goes to the log alone."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status} {reason}")
