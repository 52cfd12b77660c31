"""Whom we trust on encrypted connections: the public certificate authorities.

Reading their certificates takes some 25 ms, in which an event loop does nothing else: a process
reads them once, and all of its clients share them. Knows no address.
"""

import ssl
from functools import cache

import httpx


@cache
def public_roots() -> ssl.SSLContext:
    """For `verify=` of an httpx client; not to be changed by whoever gets it."""
    return httpx.create_ssl_context(trust_env=False)
