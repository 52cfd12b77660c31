"""Background work of contacts: names of new ones, imports."""

from offhook.carriers import Carriers
from offhook.contacts.caller_id import CallerNames
from offhook.contacts.importing import JOB, Importer
from offhook.contacts.service import LOOK_UP_JOB
from offhook.db import Database, Jobs
from offhook.settings import Settings

FORGET_EVERY_S = 3_600.0


def register(jobs: Jobs, settings: Settings, database: Database, carriers: Carriers) -> None:
    """Add the jobs of contacts to a worker."""
    importer = Importer(database)
    jobs.add(LOOK_UP_JOB, CallerNames(settings, database, carriers).look_up)
    jobs.add(JOB, importer.run)
    jobs.every(FORGET_EVERY_S, "contacts.forget_imports", importer.forget_old)
