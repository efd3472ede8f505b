"""An asgi.py that cannot be imported."""

application = 1 / 0
