"""Which addresses a request to a user-given URL may reach (SEC24; webhooks.md, Outgoing requests).

Addresses are filtered, never strings: whatever way a host is spelt, it is the resolved address
that counts. Pure: resolves nothing and knows no settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NoReturn

import httpx

from offhook.outgoing.problems import UrlRefused

Network = IPv4Network | IPv6Network
HTTP_PORT = 80
HTTPS_PORT = 443
MAX_URL_CHARACTERS = 2_000

# What `is_global` of Python 3.11 lets pass, or what reaches another address through a translator.
DENIED: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
            "192.88.99.0/24",  # 6to4 relays, RFC 7526
            "224.0.0.0/4",  # multicast, RFC 5771
            "ff00::/8",  # multicast, RFC 4291
            "::/96",  # IPv4-compatible, RFC 4291 section 2.5.5.1
            "64:ff9b::/96",  # IPv4 through NAT64, RFC 6052
            "64:ff9b:1::/48",  # local NAT64, RFC 8215
            "2001::/23",  # IETF protocol assignments, Teredo among them, RFC 2928
            "2002::/16",  # IPv4 through 6to4, RFC 3056
            "3fff::/20",  # documentation, RFC 9637
            "fec0::/10",  # site-local, RFC 3879
            "5f00::/16",  # segment routing, RFC 9602
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows beyond https on 443 to public addresses."""

    http: bool = False
    ports: frozenset[int] = frozenset({HTTPS_PORT})
    private_networks: Sequence[Network] = ()
    ca_file: str = ""
    """PEM file of authorities that are trusted beside the public ones."""

    def opens(self, port: int) -> bool:
        """Whether a URL may name this port."""
        return port in self.ports or (self.http and port == HTTP_PORT)

    def allows(self, address: str) -> bool:
        """Whether a resolved address may be connected to."""
        found = ip_address(address)
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.private_networks) or is_public(found)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not any(address in network for network in DENIED)


def check_url(url: str, policy: Policy) -> httpx.URL:
    """A URL that may be asked, as far as that can be told without resolving its name.

    Raises UrlRefused.
    """
    if len(url) > MAX_URL_CHARACTERS:
        _refuse(url, f"is longer than {MAX_URL_CHARACTERS:,} characters", "Use a shorter one.")
    if any(each <= " " or each == "\x7f" for each in url):
        _refuse(url, "holds a space or a control character", "Write it percent-encoded.")
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError):
        _refuse(url, "is no URL", "Write it as https://example.com/path.")
    if parsed.scheme != "https" and not (parsed.scheme == "http" and policy.http):
        _refuse(url, "does not begin with https://", "Use an https address.")
    if not host:
        _refuse(url, "names no host", "Write it as https://example.com/path.")
    if parsed.userinfo or "@" in host:
        _refuse(url, "holds a user name or password", "Send credentials in a header.")
    if "%" in host:
        _refuse(url, "names a network zone", "Leave out what follows the % sign.")
    if "#" in url:
        _refuse(url, "has a fragment", "Leave out the # and what follows.")
    if not policy.opens(port_of(parsed)):
        _refuse(url, f"names the port {port_of(parsed)}", "Use the usual port, 443.")
    return parsed


def port_of(url: httpx.URL) -> int:
    return url.port or (HTTPS_PORT if url.scheme == "https" else HTTP_PORT)


def _refuse(url: str, why: str, remedy: str) -> NoReturn:
    raise UrlRefused(f"The address “{url[:120]}” {why}.", remedy=remedy)
