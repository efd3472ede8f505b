"""Who may open a socket. What else guards a connection before GraphQL begins belongs here, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
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
    return header(scope, b"origin")


def address_of(scope: Mapping[str, Any], proxies: Sequence[str]) -> str:
    """The client's address; the empty text if nobody knows it.

    Behind proxies of these networks (the setting TRUSTED_PROXIES) it is the last address of X-Forwarded-For that is
    not a proxy's: what stands before it may be the client's own invention. Who comes over a Unix socket is a proxy.
    """
    peer = (scope.get("client") or ("",))[0] or ""
    if not proxies:
        return str(peer)
    # Each proxy may have written a header of its own: the last one is the nearest.
    sent = b",".join(value for name, value in scope.get("headers", ()) if name == b"x-forwarded-for")
    hops = [hop.strip() for hop in sent.decode("latin-1").split(",") if hop.strip()]
    address = str(peer)
    while hops and (not address or _is_in(address, proxies)):
        address = hops.pop()
    return address


def _is_in(address: str, networks: Sequence[str]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed in ip_network(network) for network in networks)


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
    return origin.netloc.lower() == (header(scope, b"host") or "").lower()


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


def header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """A header of the handshake, by its name in lower case; None: it has none."""
    for key, value in scope.get("headers", ()):
        if key == name:
            return str(value.decode("latin-1"))
    return None
