"""What it costs to save a row whose changes are told."""
