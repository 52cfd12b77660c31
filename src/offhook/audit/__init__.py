"""Audit: who changed what, when, before and after; append-only, each entry chained to the last.

A table says that it is audited, and its rows' changes are recorded by themselves, in the
transaction of the change:

    class Number(TeamOwned, Base):
        __audit__ = audit.Marks("number", label="name", without=("last_activity_at",))

Who acts is known from the request (`teams.identify` says it), the command line or the job:

    audit.act_as(By(Kind.USER, user_id, email))         # until the end of this request's context

What is no change of a row, such as a download or somebody listening, is recorded where it happens:

    audit.record(session, team_id, "heard", "recording", call_id, label=...)

Secrets never get in: of columns that are sealed, hashed or named in `secret` only the fact that
they changed. `listed` reads the log of a team, `names` says what its ids are called and which page
shows them, `verify` finds the first entry that was altered or is missing. Knows no room's tables
but by their marks.
"""

from offhook.audit.actor import By, Kind, act_as, acting
from offhook.audit.capture import record
from offhook.audit.chain import Broken
from offhook.audit.marks import Marks
from offhook.audit.models import INSTALLATION, Entry
from offhook.audit.naming import Named, ids_in, names
from offhook.audit.reading import (
    Filter,
    actors,
    chains,
    entries,
    has,
    is_recorded,
    listed,
    subjects,
)
from offhook.audit.verifying import Verdict, verify
from offhook.audit.web import Acting

__all__ = [
    "INSTALLATION",
    "Acting",
    "Broken",
    "By",
    "Entry",
    "Filter",
    "Kind",
    "Marks",
    "Named",
    "Verdict",
    "act_as",
    "acting",
    "actors",
    "chains",
    "entries",
    "has",
    "ids_in",
    "is_recorded",
    "listed",
    "names",
    "record",
    "subjects",
    "verify",
]
