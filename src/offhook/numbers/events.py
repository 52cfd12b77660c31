"""What numbers announce (webhooks.md)."""

from typing import ClassVar

from offhook.db import Event


class NumberEvent(Event):
    """`number_id` is ours, `e164` the telephone number itself."""

    number_id: str
    e164: str

    def topics(self) -> tuple[str, ...]:
        return (f"number:{self.number_id}",)


class NumberPurchased(NumberEvent):
    """A number was bought and can be configured."""

    event: ClassVar[str] = "number.purchased"
    purchase_id: str


class NumberImported(NumberEvent):
    """A number of the team's own carrier account reports to us from now on (A7)."""

    event: ClassVar[str] = "number.imported"
    import_id: str


class NumberEnabled(NumberEvent):
    """A number answers from now on (N8)."""

    event: ClassVar[str] = "number.enabled"


class NumberDisabled(NumberEvent):
    """A number answers no more (N9)."""

    event: ClassVar[str] = "number.disabled"


class NumberReleased(NumberEvent):
    """The carrier has the number back; it may come to others (N10)."""

    event: ClassVar[str] = "number.released"
