"""Check this number: whether a call or text would really be answered, each part with its remedy.

    checks = Checks(settings, database, carriers, secret)
    for each in await checks.number(team_id, number_id):
        each.state, each.sentence, each.remedy

The voice is heard back: a media process says a sentence over a stream that is opened as a carrier
would, the sound is sent back to it, and what its recogniser understands is compared. Nothing is
stored, counted or charged.
"""

from offhook.calls.checking.rules import Finding, State
from offhook.calls.checking.service import Checks

__all__ = ["Checks", "Finding", "State"]
