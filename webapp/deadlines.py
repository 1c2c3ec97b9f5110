"""Every deadline of the house, in seconds, each with its reason.

The rooms take theirs from here, and so does infra/container/gunicorn.conf.py, which refuses to
start a server that would end a request before the request itself gives up.
"""

# --- The user pool ---------------------------------------------------------------------------

PROVIDER_SECONDS = 5.0
"""One call of the user pool: nobody looks at a white page for longer (SECURITY.md ID-02)."""
REFRESH_SECONDS = 12.0
"""A rotated refresh token is lost when we stop listening too early, so a refresh may take longer.
"""
KEEP_SECONDS = 4.0
"""For how long a token that was won is written again and again while the store does not take it."""
NOTICE_SECONDS = 1.0
"""How long somebody whose tokens still live waits for new ones; the renewal goes on without them.
"""
NEXT_TRY_SECONDS = 0.5
"""How long one waits while another asks for addresses or keys that could not be had before."""
FAREWELL_SECONDS = 1.5
"""How long a sign-out waits for the user pool: it is done within two seconds (SO-04)."""

# --- The identity pool and the API ------------------------------------------------------------

POOL_SECONDS = 5.0
"""One call of the identity pool or of STS."""
API_SECONDS = 10.0
"""One call of the API (AP-10): a cold Lambda takes seconds, API Gateway itself allows 30."""

# --- The session store ------------------------------------------------------------------------

STORE_SECONDS = 0.95
"""One operation of a store, all its attempts together: within a second (ST-02), with what a machine
under load adds."""
STORE_ATTEMPT_SECONDS = 0.7
"""One attempt at DynamoDB, so that one that found no way leaves time for another."""
STORE_START_SECONDS = 0.5
"""No attempt at DynamoDB begins later in its operation."""
STORE_DIAL_SECONDS = 0.5
"""Making a connection to Redis."""
TURN_WAIT_SECONDS = 15.0
"""How long one request waits for what another does for the same session: a refresh and its write.
"""
CLAIM_SECONDS = 6.0
"""A turn that is not renewed: its holder died, and the next may try so much later (CC-03)."""

# --- Connections ------------------------------------------------------------------------------

DIAL_SECONDS = 3.0
"""Making a connection over HTTP, to all addresses of a name together."""

# --- The doctor -------------------------------------------------------------------------------

EXAMINATION_SECONDS = 12.0
"""All the checks of one page of the doctor together; what was not looked at by then is said."""

# --- A whole request --------------------------------------------------------------------------

REQUEST_SECONDS = 20.0
"""From its beginning on, a request may wait for parts outside for so long in all; then whatever it
still wants is refused as if the part were down. A refresh is not begun unless its whole time is
left. Store operations are not counted: what was won must be written."""
SLOWEST_SECONDS = REQUEST_SECONDS + KEEP_SECONDS + 2 * STORE_SECONDS
"""The longest that an honest request takes: to its end of waiting, then the writing of a token that
came at the last moment, and the last operation of the store on either side of that."""


def disagreements(timeout: float, graceful_timeout: float) -> list[str]:
    """What is wrong with these two settings of gunicorn, each with its cure.

    `graceful_timeout` bounds a request when a worker is told to stop, in every kind of worker. With
    plain sync workers `timeout` bounds each request; with threads it watches the main loop only,
    but the same command line may lose its threads. 0 turns `timeout` off, which is no danger.
    """
    least = int(SLOWEST_SECONDS) + 1
    wrong = []
    if 0 < timeout < least:
        wrong.append(_wrong("timeout", timeout, least))
    if graceful_timeout < least:
        wrong.append(_wrong("graceful_timeout", graceful_timeout, least))
    return wrong


def _wrong(name: str, given: float, least: int) -> str:
    option = "--" + name.replace("_", "-")
    return (
        f"gunicorn's {name} is {given:g} seconds, but a healthy request may take"
        f" {SLOWEST_SECONDS:g} and would be killed: set {name} ({option}) to {least} or more."
    )
