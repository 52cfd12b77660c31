"""Every check over a day's history. Pure.

assert disagreements(history) == []
"""

from oneday import calls, errands, inbox, ledger, texts
from oneday.findings import Disagreement
from oneday.history import History

CHECKS = (*texts.CHECKS, *calls.CHECKS, *ledger.CHECKS, *inbox.CHECKS, *errands.CHECKS)


def disagreements(history: History) -> list[Disagreement]:
    """Whatever two of the witnesses tell differently, or a rule forbids; in order."""
    return sorted(found for check in CHECKS for found in check(history))
