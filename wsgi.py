"""The WSGI entry point: `gunicorn wsgi:app`."""

import sys

from webapp.app import create_app
from webapp.errors import PorticoError

try:
    app = create_app()
except PorticoError as error:
    # A sentence, not a traceback: whoever starts this needs the cure. Status 4 is what gunicorn
    # itself uses for an application that cannot be loaded, so it does not try again.
    print(error.sentence if hasattr(error, "sentence") else error, file=sys.stderr)
    sys.exit(4)
