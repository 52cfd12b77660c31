"""Which addresses a user-given URL may reach (SEC24; webhooks.md, Outgoing requests)."""

from contextlib import suppress
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.outgoing import Policy, UrlRefused, check_url
from offhook.outgoing.addresses import DENIED

PUBLIC = ("93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1")
PRIVATE = (
    *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),  # noqa: S104 - refused
    *("100.64.0.1", "192.0.0.8", "198.18.0.1", "203.0.113.9", "240.0.0.1", "255.255.255.255"),
    *("192.88.99.1", "224.0.0.1", "239.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1"),
    *("::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::1", "2002:7f00:1::", "3fff::1", "5f00::1"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert Policy().allows(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_denied(address: str) -> None:
    assert not Policy().allows(address)


@given(st.ip_addresses())
def test_no_address_of_a_denied_network_is_allowed(address: object) -> None:
    found = ip_address(str(address))
    if any(found in network for network in DENIED):
        assert not Policy().allows(str(found))


def test_an_operator_allows_named_networks_only() -> None:
    policy = Policy(private_networks=(ip_network("10.1.0.0/16"),))
    assert policy.allows("10.1.2.3")
    assert policy.allows("::ffff:10.1.2.3")
    assert not policy.allows("10.2.2.3")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("//example.com/", "https://"),
        ("example.com", "https://"),
        ("https://", "no host"),
        ("https://[::1", "no URL"),
        ("https://ａ１２７.０.０.１:x/", "no URL"),
        ("https://user@example.com/", "user name"),
        ("https://user:secret@example.com/", "user name"),
        ("https://[fe80::1%25eth0]/", "zone"),
        ("https://example.com/#top", "fragment"),
        ("https://example.com:8443/", "port 8443"),
        ("https://example.com/a b", "space"),
        ("https://example.com/a\r\nHost: evil", "space"),
        ("https://example.com/" + "a" * 2000, "longer"),
    ],
)
def test_a_url_is_refused_with_its_reason(url: str, said: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        check_url(url, Policy())
    assert said in refused.value.sentence
    assert refused.value.remedy


def test_an_operator_allows_http_and_ports() -> None:
    assert check_url("http://example.com/", Policy(http=True)).host == "example.com"
    assert check_url("https://example.com:8443/", Policy(ports=frozenset({8443}))).port == 8443


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_is_refused(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://{text}.example/"):
        with suppress(UrlRefused):
            assert check_url(candidate, Policy()).host
