"""The kinds of notices, and who gets them unless they chose otherwise. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from offhook.teams import Role, allows


class Kind(StrEnum):
    PERSON = "person"
    LIMITS = "limits"
    PAYMENTS = "payments"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Words:
    """How a kind is offered. `least`: the role that may have it; `usual`: that gets it unasked."""

    title: str
    hint: str
    least: Role
    usual: Role


KINDS = {
    Kind.PERSON: Words(
        "A person is needed",
        "An agent could not go on, or somebody asked for a person.",
        least=Role.MEMBER,
        usual=Role.MEMBER,
    ),
    Kind.LIMITS: Words(
        "Limits",
        "80 % and 100 % of a number's monthly limit, or of the spend cap.",
        least=Role.MEMBER,
        usual=Role.ADMIN,
    ),
    Kind.PAYMENTS: Words(
        "Payments",
        "A charge that failed, a team that is suspended or restored, numbers that go back.",
        least=Role.ADMIN,
        usual=Role.ADMIN,
    ),
    Kind.WEBHOOKS: Words(
        "Webhooks",
        "An endpoint that was switched off because it failed.",
        least=Role.MEMBER,
        usual=Role.ADMIN,
    ),
}


def gets(kind: Kind, role: Role, chosen: bool | None) -> bool:
    """Whether a member of this role is mailed; `chosen` is None where nothing was chosen."""
    words = KINDS[kind]
    if not allows(role, words.least):
        return False
    return allows(role, words.usual) if chosen is None else chosen
