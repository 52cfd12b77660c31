"""How long a live call waits for the database before it goes on without (UL13)."""

from offhook.db import AWAY, within

__all__ = ["AWAY", "PATIENCE_S", "within"]

PATIENCE_S = 4.0
