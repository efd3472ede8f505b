"""What `manage.py demo_setup` puts into an empty database."""

# Well known, and so only for a machine that nobody else reaches.
PASSWORDS = {"alice": "wonderland", "bob": "can-we-fix-it", "admin": "local-use-only"}

ROOMS = {"lobby": "Lobby", "garden": "Garden", "workshop": "Workshop"}

MESSAGES = [
    ("lobby", "alice", "Welcome! This is the lobby."),
    ("lobby", "bob", "Hello Alice. Who else is here?"),
    ("lobby", "alice", "Open a second window and log in as somebody else: what you write arrives at once."),
    ("garden", "bob", "The tomatoes are ripe."),
    ("garden", "alice", "And the snails know it already."),
    ("workshop", "alice", "Has anybody seen the 10 mm socket?"),
    ("workshop", "bob", "Nobody has ever seen the 10 mm socket."),
]
