"""Ports for programs that have to be told theirs before they start.

They lie below those that the system gives to whoever asks for any: between our look and the
program's start no connection of anybody can get the same.
"""

import itertools
import os
import socket

FIRST, COUNT = 10_000, 20_000
APART = 97
"""From one process's ports to those of the next, which are other workers of the same run."""

_next = itertools.count(os.getpid() * APART)


def free_port() -> int:
    """One that nobody listens on, and that this process has not given out yet."""
    while True:
        port = FIRST + next(_next) % COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
