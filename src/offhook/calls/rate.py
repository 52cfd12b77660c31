"""How many messages a connection may send (SEC26): a bucket that refills at the allowed rate."""

import asyncio

MAX_MESSAGES_PER_S = 100  # both carriers and members send 50 frames a second, and little else
BURST = 400


class MessageRate:
    """One connection's."""

    def __init__(self) -> None:
        self._left = float(BURST)
        self._refilled_at = asyncio.get_running_loop().time()

    def allows(self) -> bool:
        """Whether one more message is within the rate."""
        now = asyncio.get_running_loop().time()
        self._left = min(BURST, self._left + (now - self._refilled_at) * MAX_MESSAGES_PER_S) - 1
        self._refilled_at = now
        return self._left >= 0
