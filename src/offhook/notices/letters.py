"""The letters of notices. They carry no caller's name, number or words: mail is a postcard."""

from typing import Any, Self

from offhook.mail import Letter


class Notice(Letter):
    """What every notice has: the team that it is about."""

    team: str

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Made-up values of its own fields."""
        raise NotImplementedError

    @classmethod
    def sample(cls) -> Self:
        return cls(team="Daily Bread", **cls.example())


class PersonNeeded(Notice):
    """An agent could not go on, or somebody asked for a person. Why is in the conversation."""

    name = "person_needed"
    number: str
    is_call: bool
    path: str

    @classmethod
    def example(cls) -> dict[str, Any]:
        return {
            "number": "Front desk",
            "is_call": True,
            "path": "/inbox/cnv_1",
        }


class LimitNear(Notice):
    """80 % of a limit is used."""

    name = "limit_near"
    of: str
    used: str
    limit: str
    resets: str
    path: str

    @classmethod
    def example(cls) -> dict[str, Any]:
        return {
            "of": "calls of Front desk",
            "used": "240 minutes",
            "limit": "300 minutes",
            "resets": "1 Dec 2026, 00:00 (Europe/Paris)",
            "path": "/numbers/num_1",
        }


class LimitReached(LimitNear):
    """A limit is used up: what it limits has stopped."""

    name = "limit_reached"

    @classmethod
    def example(cls) -> dict[str, Any]:
        return super().example() | {"used": "300 minutes"}


class PaymentFailed(Notice):
    """An invoice could not be charged; once for each invoice."""

    name = "payment_failed"
    invoice: str
    due: str
    why: str
    until: str

    @classmethod
    def example(cls) -> dict[str, Any]:
        return {
            "invoice": "INV-00012",
            "due": "$18.40",
            "why": "The card was declined.",
            "until": "14 Dec 2026",
        }


class Suspended(Notice):
    """The team is suspended: calls and texts are no longer answered."""

    name = "suspended"

    @classmethod
    def example(cls) -> dict[str, Any]:
        return {}


class Restored(Notice):
    """The team is no longer suspended."""

    name = "restored"

    @classmethod
    def example(cls) -> dict[str, Any]:
        return {}


class Releasing(Notice):
    """The numbers of a suspended team go back to the carrier, for good."""

    name = "releasing"
    days: int
    at: str

    @classmethod
    def example(cls) -> dict[str, Any]:
        return {"days": 7, "at": "14 Dec 2026, 09:00 (Europe/Paris)"}


class EndpointOff(Notice):
    """A webhook endpoint was switched off because it failed, or said that it is gone."""

    name = "endpoint_off"
    endpoint: str
    is_gone: bool

    @classmethod
    def example(cls) -> dict[str, Any]:
        return {"endpoint": "hooks.example.com", "is_gone": False}
