"""A forgotten password: a link by mail, once, and no word of who has an account (SEC5)."""

import asyncio
import re
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import func, select

from offhook import mail
from offhook.db import Database, Jobs
from offhook.mail.service import letter_of
from offhook.settings import Settings
from offhook.teams import register_jobs, rules
from offhook.teams.errors import ResetGone
from offhook.teams.forgotten import forget_expired, link_for, send_link, user_of
from offhook.teams.models import PasswordReset, SignIn
from offhook.vault import open_vault
from web_fixtures import PASSWORD, Person, Site, new_owner

NEW = "a better battery"


async def ask(site: Site, email: str) -> Response:
    async with site.client() as client:
        return await client.post(
            "/forgotten", data={"email": email}, headers={"HX-Request": "true"}
        )


async def mailed(site: Site, settings: Settings) -> list[str]:
    """Run the jobs that are due, and read the paths out of what was mailed."""
    jobs = Jobs(site.database)
    vault = open_vault(settings)
    mail.register_jobs(jobs, settings, site.database, vault)
    register_jobs(jobs, site.database, vault)
    await jobs.run_due()
    async with site.database.system() as session:
        rows = await session.scalars(
            select(mail.Mail)
            .where(mail.Mail.letter == "password_forgotten")
            .order_by(mail.Mail.created_at)
        )
        return [letter_of(row, vault).secrets()["path"] for row in rows]


async def test_the_link_sets_a_password_once_and_ends_every_sign_in(
    site: Site, settings: Settings, owner: Person
) -> None:
    assert (await ask(site, owner.email.upper())).status_code == 200
    assert (await ask(site, owner.email)).status_code == 200
    first, second = await mailed(site, settings)
    async with site.client() as client:
        assert owner.email in (await client.get(first)).text
        weak = await client.post(first, data={"password": "password"})
        assert weak.status_code == 422
        done = await client.post(first, data={"password": NEW})
        assert (done.status_code, done.headers["location"]) == (303, "/sign-in")
        for used in (first, second):
            assert (await client.get(used)).status_code == 404
            assert (await client.post(used, data={"password": NEW})).status_code == 404
        old = await client.post("/sign-in", data={"email": owner.email, "password": PASSWORD})
        assert old.status_code == 422
        new = await client.post("/sign-in", data={"email": owner.email, "password": NEW})
        assert new.status_code == 303
    async with site.client(owner) as client:
        assert (await client.get("/team")).status_code == 303
    async with site.database.system() as session:
        told = await session.scalar(
            select(mail.Mail.recipient).where(mail.Mail.letter == "password_changed")
        )
    assert told == owner.email


async def test_asking_for_nobody_looks_and_costs_the_same(
    site: Site, settings: Settings, owner: Person
) -> None:
    known, unknown = await ask(site, owner.email), await ask(site, "nobody@example.com")
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(owner.email, "") == unknown.text.replace("nobody@example.com", "")
    async with site.database.system() as session:  # the same rows were written for either
        written = await session.scalar(select(func.count()).select_from(PasswordReset))
        assert written == 2
        assert await session.scalar(select(func.count()).select_from(mail.Mail)) == 0
    assert len(await mailed(site, settings)) == 1
    async with site.database.system() as session:
        emails = await session.scalars(select(PasswordReset.email))
        assert emails.all() == [owner.email]


async def test_a_link_lasts_half_an_hour(settings: Settings, clocked: Database, clock: Any) -> None:
    person = await new_owner(clocked)
    async with clocked.system() as session:
        path = await link_for(session, person.email)
    clock.advance(minutes=29, seconds=59)
    async with clocked.system() as session:
        assert await forget_expired(session) == 0
    clock.advance(seconds=1)
    async with clocked.system() as session:
        with pytest.raises(ResetGone, match="used or has expired"):
            await user_of(session, path.rpartition("/")[2])
        assert await forget_expired(session) == 1


async def test_a_job_that_runs_twice_mails_one_link(
    site: Site, settings: Settings, owner: Person
) -> None:
    await ask(site, owner.email)
    async with site.database.system() as session:
        reset_id = await session.scalar(select(PasswordReset.id))
    assert reset_id is not None
    for _ in range(2):
        await send_link(site.database, open_vault(settings), reset_id)
    assert len(await mailed(site, settings)) == 1


@pytest.mark.parametrize("email", ["owner", "nobody@example.com"])
async def test_a_mailbox_cannot_be_filled(site: Site, owner: Person, email: str) -> None:
    asked = owner.email if email == "owner" else email
    for _ in range(rules.MAX_RESETS_PER_PERSON):
        assert (await ask(site, asked)).status_code == 200
    refused = await ask(site, asked)
    assert (refused.status_code, refused.headers["HX-Problem"]) == (429, "too_many_attempts")


async def test_neither_link_nor_token_is_stored_in_the_clear(
    site: Site, settings: Settings, owner: Person
) -> None:
    await ask(site, owner.email)
    [path] = await mailed(site, settings)
    token = path.rpartition("/")[2]
    async with site.database.system() as session:
        row = (await session.scalars(select(PasswordReset))).one()
        sent = (await session.scalars(select(mail.Mail))).one()
    assert token not in repr(vars(row)) + repr(vars(sent))


async def test_without_a_mail_server_the_page_says_whom_to_ask(
    site: Site, settings: Settings
) -> None:
    settings.environment = "production"
    async with site.client() as client:
        page = await client.get("/forgotten")
    assert "offhook operator new-password" in page.text
    assert not re.search(r"name=.email.", page.text)


async def test_changing_the_password_by_hand_is_told_too(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        done = await client.post("/account/password", data={"old": PASSWORD, "password": NEW})
        assert done.status_code == 303
    async with site.database.system() as session:
        letters = await session.scalars(select(mail.Mail.letter))
        assert letters.all() == ["password_changed"]
        assert await session.scalar(select(func.count()).select_from(SignIn)) == 1


async def test_many_who_ask_at_once_fill_no_mailbox(site: Site, owner: Person) -> None:
    told = await asyncio.gather(*(ask(site, owner.email) for _ in range(8)))
    assert sorted(each.status_code for each in told) == [200] * 3 + [429] * 5
