"""Who may open a socket. What else guards a connection before GraphQL begins belongs here, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

# Django's own list for DEBUG without ALLOWED_HOSTS.
_LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def origin_of(scope: Mapping[str, Any]) -> str | None:
    """The Origin header of a handshake; None if it has none, as programs that are no browsers."""
    return _header(scope, b"origin")


def is_origin_allowed(scope: Mapping[str, Any], allowed: Sequence[str] | None) -> bool:
    """Whether a page of this origin may connect.

    ``allowed`` is the setting ALLOWED_ORIGINS: None stands for the request's own host (if ALLOWED_HOSTS has
    it), ALLOWED_HOSTS, and CSRF_TRUSTED_ORIGINS; ``["*"]`` for everybody; otherwise these origins, where ``*.`` stands
    for a domain with all below it, as in CSRF_TRUSTED_ORIGINS. A missing Origin passes: no browser leaves it out.
    """
    origin = origin_of(scope)
    if origin is None:
        return True
    if allowed is not None:
        return "*" in allowed or _matches(origin, allowed)
    parsed = _split(origin)
    if parsed is None or not parsed.hostname:
        return False
    return _is_own_host(scope, parsed) or _matches(origin, settings.CSRF_TRUSTED_ORIGINS)


def _is_own_host(scope: Mapping[str, Any], origin: SplitResult) -> bool:
    hosts = settings.ALLOWED_HOSTS
    if not hosts and settings.DEBUG:
        hosts = _LOCAL_HOSTS
    if "*" not in hosts:
        domain, _ = split_domain_port(origin.netloc.lower())
        return validate_host(domain, hosts)
    # Every host is ours, so only the one that was asked for is trusted.
    return origin.netloc.lower() == (_header(scope, b"host") or "").lower()


def _matches(origin: str, patterns: Iterable[str]) -> bool:
    parsed = _split(origin)
    if parsed is None:
        return False
    for pattern in patterns:
        wanted = urlsplit(pattern.lower().replace("://*.", "://."))
        if (
            parsed.scheme == wanted.scheme
            and _port(parsed) == _port(wanted)
            and is_same_domain(parsed.hostname or "", wanted.hostname or "")
        ):
            return True
    return False


def _split(origin: str) -> SplitResult | None:
    try:
        parsed = urlsplit(origin.lower())
        parsed.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    return parsed


def _port(url: SplitResult) -> int | None:
    return url.port or _DEFAULT_PORTS.get(url.scheme)


def _header(scope: Mapping[str, Any], name: bytes) -> str | None:
    for key, value in scope.get("headers", ()):
        if key == name:
            return str(value.decode("latin-1"))
    return None
