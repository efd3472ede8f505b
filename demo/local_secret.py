"""A secret key for local use, so that the demo starts without any configuration."""

import secrets
from pathlib import Path


def local_secret_key(path: Path) -> str:
    """The key kept in `path`, made on the first call: sessions outlive restarts and work in all processes."""
    if not path.exists():
        candidate = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        candidate.touch(mode=0o600)
        candidate.write_text(secrets.token_urlsafe(50))
        try:
            # A link appears complete or not at all: of several processes that start at once, one key wins.
            path.hardlink_to(candidate)
        except FileExistsError:
            pass
        finally:
            candidate.unlink()
    return path.read_text()
