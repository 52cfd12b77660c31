"""What the simulated carrier charges for calls and messages: a small table. Pure.

Per begun minute and per segment, in the decimal text of Twilio's API: negative, because it is
taken from the account; None for what costs nothing yet.
"""

from decimal import Decimal

CURRENCY = "USD"
PER_MINUTE = {
    "inbound": Decimal("0.0085"),
    "outbound-api": Decimal("0.0140"),
    "outbound-dial": Decimal("0.0140"),
}
PER_SEGMENT = {"inbound": Decimal("0.0079"), "outbound-api": Decimal("0.0083")}


def of_call(direction: str, minutes: int) -> str | None:
    """Nothing is charged for a call that was not answered."""
    return _charged(PER_MINUTE[direction] * minutes) if minutes else None


def of_message(direction: str, segments: int) -> str:
    return _charged(PER_SEGMENT[direction] * segments)


def _charged(amount: Decimal) -> str:
    return f"{-amount:.5f}"
