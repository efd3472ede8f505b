"""Channel layers side by side, without anything else: two processes, one of which sends what the other receives."""
