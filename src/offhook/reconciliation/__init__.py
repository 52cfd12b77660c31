"""Reconciliation: our calls and messages beside the carrier's own records (UC3 to UC7, UC9).

    worker          register_jobs(jobs, settings, database, accounts): each day compared, what
                    differs put right and listed
    web process     routes.py: the team's own differences, the operator's of all teams, corrections

`check_day(database, account, day)` compares one day and may be repeated. app.py joins `links`: why
a call is charged that only the carrier has.
"""

from offhook.reconciliation.jobs import register as register_jobs
from offhook.reconciliation.models import Difference
from offhook.reconciliation.reading import links
from offhook.reconciliation.service import Account, check_day

__all__ = ["Account", "Difference", "check_day", "links", "register_jobs"]
