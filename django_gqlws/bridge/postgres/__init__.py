"""Changes noticed by PostgreSQL itself, whoever makes them: triggers write them down, a relay sends them on."""
