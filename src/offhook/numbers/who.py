"""Who acts, in the terms of a number's activity."""

from offhook.numbers.activity import By
from offhook.teams import Actor


def by(actor: Actor) -> By:
    return By(actor.who, actor.email)
