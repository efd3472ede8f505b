"""The servers that are measured. Each runs in its own environment and imports only what that one has."""
