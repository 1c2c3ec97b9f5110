"""The WSGI entry point: `gunicorn wsgi:app`."""

from webapp.app import start

app = start()
