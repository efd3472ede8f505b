"""Who may open a socket: the Origin of a page against the settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.test import override_settings

from django_gqlws.security import address_of, is_origin_allowed, origin_of
from tests.support.tables import situations


def handshake(origin: str | None, host: str = "example.com") -> dict[str, Any]:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return {"headers": headers}


LISTED = ["https://example.com", "https://*.wild.example", "http://local.example:8000"]

BY_LIST: dict[str, tuple[str | None, bool]] = {
    "no Origin": (None, True),
    "as it is listed": ("https://example.com", True),
    "in capitals": ("HTTPS://Example.COM", True),
    "with the default port": ("https://example.com:443", True),
    "another port": ("https://example.com:8443", False),
    "another scheme": ("http://example.com", False),
    "a subdomain of what is listed": ("https://sub.example.com", False),
    "a name that ends the same": ("https://evil-example.com", False),
    "a name that begins the same": ("https://example.com.evil.org", False),
    "a subdomain of a wildcard": ("https://a.b.wild.example", True),
    "the wildcard's own domain": ("https://wild.example", True),
    "a name that ends like a wildcard": ("https://evilwild.example", False),
    "a port that is listed": ("http://local.example:8000", True),
    "a port that is missing": ("http://local.example", False),
    "a user in front of the host": ("https://example.com@evil.org", False),
    "null": ("null", False),
    "empty": ("", False),
    "a host alone": ("example.com", False),
    "a port that is none": ("https://example.com:port", False),
    "brackets that are not closed": ("https://[::1", False),
    "a file": ("file://", False),
    "an extension": ("chrome-extension://abc", False),
}


@pytest.mark.parametrize(("origin", "allowed"), situations(BY_LIST))
def test_a_list_of_origins(origin: str | None, allowed: bool) -> None:
    """Scheme, host and port count."""
    assert is_origin_allowed(handshake(origin), LISTED) is allowed


@pytest.mark.parametrize("origin", [None, "https://evil.org", "null", "nonsense"])
def test_every_origin(origin: str | None) -> None:
    """A star lets all of them in."""
    assert is_origin_allowed(handshake(origin), ["*"])


def test_no_origin_at_all() -> None:
    """An empty list lets only programs in that are no browsers."""
    assert is_origin_allowed(handshake(None), [])
    assert not is_origin_allowed(handshake("https://example.com"), [])


SELF = "https://example.com"
# ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS, DEBUG, Origin, Host: whether it may connect.
BY_DEFAULT: dict[str, tuple[list[str], list[str], bool, str | None, str, bool]] = {
    "no Origin": (["example.com"], [], False, None, "example.com", True),
    "the own host": (["example.com"], [], False, SELF, "example.com", True),
    "the own host with a port": (["example.com"], [], False, "http://example.com:8000", "example.com:8000", True),
    "another of the allowed hosts": (["a.example", "b.example"], [], False, "https://b.example", "a.example", True),
    "a subdomain of an allowed one": ([".example.com"], [], False, "https://a.example.com", "example.com", True),
    "a foreign host": (["example.com"], [], False, "https://evil.org", "example.com", False),
    "a foreign host that is asked for": (["example.com"], [], False, "https://evil.org", "evil.org", False),
    "a trusted origin": (["example.com"], ["https://*.shop.example"], False, "https://a.shop.example", "", True),
    "a trusted origin by http": (["example.com"], ["https://shop.example"], False, "http://shop.example", "", False),
    "all hosts, the own": (["*"], [], False, SELF, "example.com", True),
    "all hosts, a foreign": (["*"], [], False, "https://evil.org", "example.com", False),
    "all hosts, another port": (["*"], [], False, "https://example.com:8443", "example.com", False),
    "DEBUG, localhost": ([], [], True, "http://localhost:3000", "localhost:8000", True),
    "DEBUG, a subdomain of localhost": ([], [], True, "http://a.localhost", "localhost", True),
    "DEBUG, an address": ([], [], True, "http://127.0.0.1:8000", "127.0.0.1:8000", True),
    "DEBUG, an IPv6 address": ([], [], True, "http://[::1]:8000", "[::1]:8000", True),
    "DEBUG, a foreign host": ([], [], True, "https://evil.org", "localhost", False),
    "no DEBUG, localhost": ([], [], False, "http://localhost", "localhost", False),
    "null": (["*"], [], False, "null", "null", False),
    "null without a host": (["*"], [], False, "null", "", False),
    "empty": (["*"], [], False, "", "", False),
    "nonsense": (["*"], [], False, "https://[::1", "[::1", False),
}


@pytest.mark.parametrize(("hosts", "trusted", "debug", "origin", "host", "allowed"), situations(BY_DEFAULT))
def test_without_a_list(
    hosts: list[str], trusted: Sequence[str], debug: bool, origin: str | None, host: str, allowed: bool
) -> None:
    """The own host, ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS."""
    with override_settings(ALLOWED_HOSTS=hosts, CSRF_TRUSTED_ORIGINS=trusted, DEBUG=debug):
        assert is_origin_allowed(handshake(origin, host), None) is allowed


def test_the_origin_of_a_handshake() -> None:
    """Its header, or None."""
    assert origin_of(handshake(SELF)) == SELF
    assert origin_of(handshake(None)) is None
    assert origin_of({}) is None


PROXY, OTHER_PROXY, CLIENT = "10.0.0.1", "10.0.0.2", "192.0.2.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        (CLIENT, [], [], CLIENT),
        (CLIENT, ["1.1.1.1"], [], CLIENT),
        (CLIENT, ["1.1.1.1"], ["10.0.0.0/8"], CLIENT),
        (PROXY, [], ["10.0.0.0/8"], PROXY),
        (PROXY, [CLIENT], ["10.0.0.0/8"], CLIENT),
        (f"::ffff:{PROXY}", [CLIENT], ["10.0.0.0/8"], CLIENT),
        (PROXY, [f"1.1.1.1, {CLIENT}"], ["10.0.0.0/8"], CLIENT),
        (PROXY, ["1.1.1.1", f"{CLIENT}, {OTHER_PROXY}"], ["10.0.0.0/8"], CLIENT),
        (PROXY, ["unknown"], ["10.0.0.0/8"], "unknown"),
        (None, [CLIENT], ["10.0.0.0/8"], CLIENT),
        (None, [CLIENT], [], ""),
    ],
)
def test_the_address_of_a_client(peer: str | None, forwarded: list[str], proxies: list[str], address: str) -> None:
    """Only what a trusted proxy has written is believed, and only the nearest that is no proxy."""
    scope = {
        "client": None if peer is None else (peer, 1234),
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
    }

    assert address_of(scope, proxies) == address
