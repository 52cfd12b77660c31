"""Reconciliation: our calls and messages beside the carrier's own records (UC3 to UC7, UC9).

worker          register_jobs(jobs, settings, database, accounts): each day compared, what
differs put right and listed
web process     routers: the team's own differences, the operator's of all teams, corrections

await check_day(database, Account(id, carrier, settle_ms), day)     # may be repeated
await of_subjects(session, team, service, call_ids)   # for pages that show a call or message
"""

from offhook.reconciliation import api, operator_api, operator_pages, pages
from offhook.reconciliation.jobs import register as register_jobs
from offhook.reconciliation.models import Difference
from offhook.reconciliation.reading import of_subjects
from offhook.reconciliation.service import Account, check_day

routers = (api.router, operator_api.router, pages.router, operator_pages.router)

__all__ = ["Account", "Difference", "check_day", "of_subjects", "register_jobs", "routers"]
