"""The ledger: units are reserved before they are used, limits are exact (metering.md).

All functions take `(session, team_id, ...)`, may be repeated, and commit with the caller.

    await open_meter(session, team, number_id=..., carrier=..., country=..., number_type=...)
    await set_limit(session, team, number_id=..., service=Service.CALLS, value=300)

    match await reserve_minute(session, team, number_id=..., call_id=..., index=0):
        case Granted(ends_at=end): ...      # until then the call may speak
        case Denied(reason=why, resets_at=then): ...
    await heartbeat(session, team, call_id)              # every 5 s
    await settle_call(session, team, call_id=..., seconds=61.2)   # or void_call

    await take_message(session, team, number_id=..., message_id=..., direction=Direction.INBOUND)
    await post_message(session, team, message_id=...)    # or give_back_message

    month = await closing.earliest_due(session, team, at)         # locked; then, in order:
    lines = await closing.close(session, team, month.starts_at)   # each entry on one line (UI8)
    await closing.closed(session, team, month.starts_at, closing.ClosedAs.INVOICED, at)

    await correct_minutes(session, team, call_id=..., keep=2, reason=..., actor=...)   # UC4, UC9
    await record_from_carrier(session, team, number_id=..., call_id=..., ...)          # UC5

A team's spend cap (spend.py) stops what would cost: Denied(reason=Reason.SPEND_CAP), whatever the
limits say; `set_cap`, `set_upper_cap` (the operator's), `spent`.

`audit` checks UI1 to UI10; a room above adds what it derives: `audit_also(check)`.
"""

from offhook.prices import Direction, Money
from offhook.usage import closing
from offhook.usage.audit import Violation, audit, violations
from offhook.usage.audit import also as audit_also
from offhook.usage.audit_closed import CHECKS as CLOSED_CHECKS
from offhook.usage.calendar import coming as month_after
from offhook.usage.calendar import period_at
from offhook.usage.corrections import (
    CorrectionRefused,
    Units,
    correct_minutes,
    record_from_carrier,
    units_of,
)
from offhook.usage.entries import (
    CallCost,
    RatedEntry,
    Rating,
    cost_of,
    cost_of_call,
    entries_of_call,
)
from offhook.usage.events import AllowanceUsed, LimitReached, LimitWarning, Scope
from offhook.usage.grants import Denied, Granted
from offhook.usage.jobs import register as register_jobs
from offhook.usage.meters import (
    Balance,
    MeterMissing,
    balance,
    limit_of,
    open_meter,
    set_limit,
)
from offhook.usage.minutes import (
    CallUnknown,
    Lost,
    Renewal,
    Settlement,
    heartbeat,
    renew_minutes,
    reserve_minute,
    settle_call,
    settle_stale,
    spare,
    void_call,
)
from offhook.usage.month import (
    Counted,
    MonthToDate,
    NumberUse,
    Pool,
    counted,
    counted_of,
    month_to_date,
)
from offhook.usage.months import MonthMissing, month_named
from offhook.usage.months import months as months_of
from offhook.usage.names import (
    Label,
    LimitThen,
    Link,
    invoices_from,
    limits_from,
    names,
    names_from,
    subjects,
    subjects_from,
)
from offhook.usage.periods import Period
from offhook.usage.rating import limit_sentence
from offhook.usage.renewals import Renewals
from offhook.usage.repricing import charges_of, effect_of
from offhook.usage.rules import (
    LimitInvalid,
    Reason,
    Service,
    limit_from_text,
    limit_value,
    started_minutes,
)
from offhook.usage.spend import (
    Cap,
    CapInvalid,
    Spent,
    cap_of,
    read_cap,
    set_cap,
    set_upper_cap,
    spent,
)
from offhook.usage.spend_api import TeamUnknown
from offhook.usage.spend_api import known as known_team
from offhook.usage.texts import (
    MessageUnknown,
    correct_message,
    give_back_message,
    post_message,
    take_message,
    void_message,
)

__all__ = [
    "CLOSED_CHECKS",
    "AllowanceUsed",
    "Balance",
    "CallCost",
    "CallUnknown",
    "Cap",
    "CapInvalid",
    "CorrectionRefused",
    "Counted",
    "Denied",
    "Direction",
    "Granted",
    "Label",
    "LimitInvalid",
    "LimitReached",
    "LimitThen",
    "LimitWarning",
    "Link",
    "Lost",
    "MessageUnknown",
    "MeterMissing",
    "Money",
    "MonthMissing",
    "MonthToDate",
    "NumberUse",
    "Period",
    "Pool",
    "RatedEntry",
    "Rating",
    "Reason",
    "Renewal",
    "Renewals",
    "Scope",
    "Service",
    "Settlement",
    "Spent",
    "TeamUnknown",
    "Units",
    "Violation",
    "audit",
    "audit_also",
    "balance",
    "cap_of",
    "charges_of",
    "closing",
    "correct_message",
    "correct_minutes",
    "cost_of",
    "cost_of_call",
    "counted",
    "counted_of",
    "effect_of",
    "entries_of_call",
    "give_back_message",
    "heartbeat",
    "invoices_from",
    "known_team",
    "limit_from_text",
    "limit_of",
    "limit_sentence",
    "limit_value",
    "limits_from",
    "month_after",
    "month_named",
    "month_to_date",
    "months_of",
    "names",
    "names_from",
    "open_meter",
    "period_at",
    "post_message",
    "read_cap",
    "record_from_carrier",
    "register_jobs",
    "renew_minutes",
    "reserve_minute",
    "set_cap",
    "set_limit",
    "set_upper_cap",
    "settle_call",
    "settle_stale",
    "spare",
    "spent",
    "started_minutes",
    "subjects",
    "subjects_from",
    "take_message",
    "units_of",
    "violations",
    "void_call",
    "void_message",
]
