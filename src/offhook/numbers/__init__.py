"""Inventory, purchase, configuration and lifecycle of phone numbers.

Admission of calls and texts asks two things:

    number = await numbers.held(session, e164)          # system session; present holder or None
    match await numbers.answering(session, team_id, number.id, Service.CALLS):
        case Answerer(number, agent): ...               # agent is the published Snapshot
        case Refusal(number, reason): ...               # Reason: disabled, suspended, service_off,
        case None: ...                                  #   agent_not_live

Who must end what is live when a number or one of its services stops (N9), in that transaction:

    numbers.when_stopped(handler)                       # handler(session, number, service | None)

Whose carrier account a number belongs to, for `carriers.of(number.account_id)`:

    carriers = Carriers(settings, numbers.account_lookup(database, vault))
    await numbers.accounts_in_use(session); await numbers.account_sid(session, number)
    await numbers.account_of(session, number_id)        # None: the operator's

A room above adds a section to a number's page; the change is told in the number's activity:

    numbers.add_section(numbers.Section("hours", "Hours", "clock", "calls/number_hours.html", load))
    number = await numbers.locked(session, team_id, number_id)
    await numbers.record_activity(session, number, by, "configured", before={…}, after={…})

Put together by app.py: `register_jobs(jobs, shop)`,
`register_own_jobs(jobs, importer)`, `agents.register(NumbersOfAgents())`,
`billing.when_suspended(stop_suspended)`, `billing.when_settled(when_settled)`,
`billing.rents_from(rents_due)`, `billing.when_released(release_suspended)`,
`usage.names_from(labels)`, `usage.limits_from(limit_then)`.
"""

from offhook.numbers.activity import SYSTEM, By
from offhook.numbers.activity import record as record_activity
from offhook.numbers.answer import Answerer, Refusal, all_enabled, answering, found, held
from offhook.numbers.audit import audit
from offhook.numbers.events import (
    NumberDisabled,
    NumberEnabled,
    NumberImported,
    NumberPurchased,
    NumberReleased,
)
from offhook.numbers.holders import accounts_of, holder_at, holders
from offhook.numbers.jobs import register as register_jobs
from offhook.numbers.limits import limit_then
from offhook.numbers.listing import labels
from offhook.numbers.models import Number
from offhook.numbers.own.accounts import account_of
from offhook.numbers.own.accounts import by_sid as accounts_by_sid
from offhook.numbers.own.accounts import in_use as accounts_in_use
from offhook.numbers.own.accounts import lookup as account_lookup
from offhook.numbers.own.accounts import sid_of as account_sid
from offhook.numbers.own.bringing import Importer
from offhook.numbers.own.jobs import register as register_own_jobs
from offhook.numbers.problems import NumberNotFound
from offhook.numbers.purchase import when_settled
from offhook.numbers.purchasing import Shop
from offhook.numbers.rents import rents_due
from offhook.numbers.rules import NumberStatus, Reason, registration_sentences
from offhook.numbers.sections import Section
from offhook.numbers.sections import add as add_section
from offhook.numbers.service import configure, delete, disable, enable, get, locked, missing
from offhook.numbers.stopping import stays_as_it_is, when_stopped
from offhook.numbers.users import (
    NumbersOfAgents,
    of_agent,
    release_suspended,
    stop_suspended,
)
from offhook.numbers.who import by
from offhook.usage import Service

__all__ = [
    "SYSTEM",
    "Answerer",
    "By",
    "Importer",
    "Number",
    "NumberDisabled",
    "NumberEnabled",
    "NumberImported",
    "NumberNotFound",
    "NumberPurchased",
    "NumberReleased",
    "NumberStatus",
    "NumbersOfAgents",
    "Reason",
    "Refusal",
    "Section",
    "Service",
    "Shop",
    "account_lookup",
    "account_of",
    "account_sid",
    "accounts_by_sid",
    "accounts_in_use",
    "accounts_of",
    "add_section",
    "all_enabled",
    "answering",
    "audit",
    "by",
    "configure",
    "delete",
    "disable",
    "enable",
    "found",
    "get",
    "held",
    "holder_at",
    "holders",
    "labels",
    "limit_then",
    "locked",
    "missing",
    "of_agent",
    "record_activity",
    "register_jobs",
    "register_own_jobs",
    "registration_sentences",
    "release_suspended",
    "rents_due",
    "stays_as_it_is",
    "stop_suspended",
    "when_settled",
    "when_stopped",
]
