"""What it looks like when the database is away, and how long a live call waits to find out.

A server that was stopped or cut off says nothing at all, so everything that a live call asks has
an end to its patience.
"""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

AWAY = (DBAPIError, PoolTimeoutError, OSError)
"""Refused, broken, no connection to be had, or no answer in time (TimeoutError is an OSError)."""

PATIENCE_S = 4.0
