"""The database: engine and sessions, ids, jobs, the outbox of events.

Knows no domain: tables belong to the rooms. In a room:

    class Number(TeamOwned, Base):
        __tablename__ = "numbers"
        id: Mapped[str] = primary_key("num")

    async with database.team(team_id) as session:      # one transaction, this team's rows only
        session.add(Number(team_id=team_id))
        await publish(session, NumberEnabled(...))      # outbox row and live pages
        await enqueue(session, "numbers.warm", lock=number_id, number_id=number_id)

    jobs.add("numbers.warm", warm)                      # in a room's jobs.register(jobs, ...)

    account.token = seal(vault, account, "token", b"...")   # a column of the type Sealed()

Everything inside one `async with` is committed together or not at all: rows, events and jobs. A
table whose rows have longer keys that begin with the team is `TeamKeyed`. Who finds no connection
in time hears `Busy`, which `web` answers 503; `database.within(10)` waits no longer than so. Rows
that are changed after a look at them are asked for by `for_change(query)`.
"""

from offhook.db.away import AWAY, is_away, within
from offhook.db.engine import (
    Busy,
    Database,
    Session,
    fetch,
    fetch_each,
    for_change,
    now,
    one_at_a_time,
    told_time,
)
from offhook.db.finding import (
    Expected,
    count_anew,
    expected_rows,
    of_team,
    plan_by_values,
    team_word,
)
from offhook.db.ids import new_id, random_id
from offhook.db.jobs import Jobs, Rhythm, enqueue
from offhook.db.outbox import (
    Event,
    EventRow,
    Listener,
    event_kinds,
    publish,
    publish_all,
    told_together,
    touch,
    when_published,
    write_events,
)
from offhook.db.sealed import Rotated, Sealed, keys_in_use, rotate, seal, unseal
from offhook.db.tables import Base, TeamKeyed, TeamOwned, UtcTime, one_of, primary_key, protect

__all__ = [
    "AWAY",
    "Base",
    "Busy",
    "Database",
    "Event",
    "EventRow",
    "Expected",
    "Jobs",
    "Listener",
    "Rhythm",
    "Rotated",
    "Sealed",
    "Session",
    "TeamKeyed",
    "TeamOwned",
    "UtcTime",
    "count_anew",
    "enqueue",
    "event_kinds",
    "expected_rows",
    "fetch",
    "fetch_each",
    "for_change",
    "is_away",
    "keys_in_use",
    "new_id",
    "now",
    "of_team",
    "one_at_a_time",
    "one_of",
    "plan_by_values",
    "primary_key",
    "protect",
    "publish",
    "publish_all",
    "random_id",
    "rotate",
    "seal",
    "team_word",
    "told_time",
    "told_together",
    "touch",
    "unseal",
    "when_published",
    "within",
    "write_events",
]
