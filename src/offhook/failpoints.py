"""Named places where a test ends the process as a crash would; nothing in ordinary use.

`OFFHOOK_FAILPOINT=name:n` exits with 137, as after kill -9, at the n-th passage of `name`:
no `finally`, no flush, no goodbye to the database.
"""

import os
from collections import Counter

ENVIRONMENT = "OFFHOOK_FAILPOINT"
EXIT_STATUS = 137
_passages: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get(ENVIRONMENT)
    if wanted is None:
        return
    wanted_name, _, nth = wanted.partition(":")
    if wanted_name != name:
        return
    _passages[name] += 1
    if _passages[name] == int(nth or 1):
        os._exit(EXIT_STATUS)
