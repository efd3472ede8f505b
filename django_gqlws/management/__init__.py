"""Commands for `manage.py`, and what they share."""
