"""A letter leaves with its transaction, once, whatever happens on the way."""

from datetime import timedelta
from typing import Any

import pytest
from mail_catcher import Catcher
from pydantic import SecretStr
from sqlalchemy import select

from offhook import mail
from offhook.db import Database, Jobs
from offhook.mail.models import Mail, State
from offhook.mail.service import Post, forget_old
from offhook.settings import Settings
from offhook.teams.letters import Invited
from offhook.vault import open_vault
from web_fixtures import Person

LINK = "/join/a-very-secret-token"
LETTER = Invited(team="Daily Bread", by="ada@example.com", role="admin", path=SecretStr(LINK))


class Sent:
    """A letter in the outbox, and what becomes of it."""

    def __init__(self, settings: Settings, database: Database, team_id: str) -> None:
        self.database, self.team_id = database, team_id
        self.vault = open_vault(settings)
        self.post = Post(settings, database, mail.open_mailer(settings), self.vault)

    async def send(self, key: str = "") -> str | None:
        async with self.database.team(self.team_id) as session:
            return await mail.send(
                session, self.team_id, "bo@example.com", LETTER, key=key, vault=self.vault
            )

    async def deliver(self, mail_id: str | None) -> Mail:
        assert mail_id is not None
        await self.post.deliver(self.team_id, mail_id)
        return await self.row(mail_id)

    async def row(self, mail_id: str) -> Mail:
        async with self.database.team(self.team_id) as session:
            return await session.get_one(Mail, mail_id)

    async def change(self, mail_id: str, **values: Any) -> None:
        async with self.database.team(self.team_id) as session:
            row = await session.get_one(Mail, mail_id)
            for name, value in values.items():
                setattr(row, name, value)


@pytest.fixture
def outbox(mailing: Settings, clocked: Database, team: Person) -> Sent:
    return Sent(mailing, clocked, team.team_id)


async def test_a_letter_is_sent_by_its_job_and_forgets_its_secret(
    mailing: Settings, database: Database, team: Person, catcher: Catcher
) -> None:
    outbox = Sent(mailing, database, team.team_id)
    mail_id = await outbox.send()
    assert mail_id is not None
    waiting = await outbox.row(mail_id)
    assert waiting.state is State.WAITING
    assert waiting.secrets is not None
    assert LINK not in repr(vars(waiting))
    jobs = Jobs(database)
    mail.register_jobs(jobs, mailing, database, outbox.vault)
    await jobs.run_due()
    row = await outbox.row(mail_id)
    assert (row.state, row.answer, row.secrets) == (State.SENT, "250 OK", None)
    [(_, to, caught)] = catcher.caught
    assert to == ["bo@example.com"]
    assert caught["Subject"] == "Join Daily Bread on Offhook"
    assert caught["Message-ID"] == f"<{mail_id}@bread.example>"
    for form in ("plain", "html"):
        body = caught.get_body((form,))
        assert body is not None
        assert mailing.web_url + LINK in body.get_content()


async def test_what_is_rolled_back_sends_nothing(outbox: Sent) -> None:
    with pytest.raises(ZeroDivisionError):
        async with outbox.database.team(outbox.team_id) as session:
            await mail.send(session, outbox.team_id, "bo@example.com", LETTER, vault=outbox.vault)
            raise ZeroDivisionError
    async with outbox.database.system() as session:
        assert (await session.scalars(select(Mail))).all() == []


async def test_one_key_is_sent_once(outbox: Sent, catcher: Catcher) -> None:
    first = await outbox.send("limit:100")
    assert await outbox.send("limit:100") is None
    await outbox.deliver(first)
    row = await outbox.deliver(first)
    assert row.state is State.SENT
    assert len(catcher.caught) == 1


async def test_what_cannot_leave_now_leaves_later(outbox: Sent, catcher: Catcher) -> None:
    catcher.rcpt = ["451 Greylisted", "421 Busy"]
    mail_id = await outbox.send()
    for attempt in (1, 2):
        row = await outbox.deliver(mail_id)
        assert (row.state, row.attempts) == (State.WAITING, attempt)
        assert row.secrets is not None
    row = await outbox.deliver(mail_id)
    assert (row.state, len(catcher.caught)) == (State.SENT, 1)


async def test_a_letter_that_is_of_no_use_any_more_is_not_sent(
    outbox: Sent, catcher: Catcher, clock: Any
) -> None:
    mail_id = await outbox.send()
    clock.advance(days=8)
    row = await outbox.deliver(mail_id)
    assert (row.state, row.secrets, catcher.caught) == (State.LATE, None, [])


@pytest.mark.parametrize(
    ("answer", "state"), [("550 Unknown", State.REFUSED), ("drop", State.UNKNOWN)]
)
async def test_what_is_refused_or_may_have_arrived_is_not_repeated(
    outbox: Sent, catcher: Catcher, answer: str, state: State
) -> None:
    catcher.data = [answer]
    mail_id = await outbox.send()
    await outbox.deliver(mail_id)
    row = await outbox.deliver(mail_id)
    assert (row.state, row.attempts) == (state, 1)
    assert len(catcher.caught) == (1 if answer == "drop" else 0)


async def test_an_attempt_that_was_cut_off_while_handing_over_is_not_repeated(
    outbox: Sent, catcher: Catcher
) -> None:
    mail_id = await outbox.send()
    assert mail_id is not None
    await outbox.change(mail_id, state=State.HANDING)
    row = await outbox.deliver(mail_id)
    assert (row.state, catcher.caught) == (State.UNKNOWN, [])


async def test_without_a_server_the_mail_is_kept_and_its_secret_is_not(
    settings: Settings, clocked: Database, team: Person
) -> None:
    for environment, has_secret in (("production", False), ("development", True)):
        chosen = settings.model_copy(update={"environment": environment})
        outbox = Sent(chosen, clocked, team.team_id)
        row = await outbox.deliver(await outbox.send())
        assert (row.state, row.secrets is not None) == (State.KEPT, has_secret)


async def test_mails_are_forgotten_after_30_days(outbox: Sent, clock: Any) -> None:
    await outbox.send()
    clock.advance(days=29)
    kept = await outbox.send()
    clock.instant += timedelta(days=1)
    async with outbox.database.system() as session:
        assert await forget_old(session) == 1
        assert (await session.scalars(select(Mail.id))).all() == [kept]
