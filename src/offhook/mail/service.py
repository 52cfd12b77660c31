"""Use cases of mail: a letter is put into the outbox, and an outbox row is sent.

A row is sent at most once: `handing` is committed before the text leaves, and a row that is found
in that state was cut off there, its outcome unknown. Up to there every attempt may be repeated.
"""

import json
import logging
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Database, Session, enqueue, new_id, now, seal, unseal
from offhook.errors import Invalid
from offhook.failpoints import failpoint
from offhook.mail import rules
from offhook.mail.letter import Letter, letters, render
from offhook.mail.mailer import Mailer, MailNotSent, MailUncertain, Message, NoMailServer
from offhook.mail.models import Mail, State
from offhook.settings import Settings
from offhook.vault import Vault

log = logging.getLogger(__name__)
JOB = "mail.send"


async def send(
    session: Session,
    team_id: str,
    to: str,
    letter: Letter,
    *,
    key: str = "",
    vault: Vault | None = None,
) -> str | None:
    """Put `letter` to `to` into the outbox of this transaction; the mail's id.

    None when `key` was used in this team before: it is sent once. A letter with secrets needs the
    vault. Raises AddressInvalid.
    """
    recipient, moment = rules.check_address(to), await now(session)
    row = Mail(
        id=new_id("mail"),
        team_id=team_id,
        letter=letter.name,
        recipient=recipient,
        fields=letter.plain(),
        state=State.WAITING,
        created_at=moment,
        expires_at=moment + letter.useful_for,
    )
    row.key = key or row.id
    if secrets := letter.secrets():
        if vault is None:
            raise ValueError(f"the letter {letter.name} has secrets: send it with the vault")
        row.secrets = seal(vault, row, "secrets", json.dumps(secrets).encode())
    values = {column.key: getattr(row, column.key) for column in Mail.__table__.columns}
    values |= {"attempts": 0, "answer": ""}
    written = await session.scalar(
        insert(Mail)
        .values(values)
        .on_conflict_do_nothing(index_elements=[Mail.team_id, Mail.key])
        .returning(Mail.id)
    )
    if written is not None:
        await enqueue(session, JOB, team_id=team_id, mail_id=row.id)
    return written


class Post:
    """Sends what is in the outbox."""

    def __init__(
        self, settings: Settings, database: Database, mailer: Mailer, vault: Vault
    ) -> None:
        self._settings = settings
        self._database = database
        self._mailer = mailer
        self._vault = vault

    async def deliver(self, team_id: str, mail_id: str) -> None:
        """Send this mail if that is still to be done; whatever comes of it is stored."""
        message = await self._begin(team_id, mail_id)
        if message is None:
            return

        async def hand_over() -> None:
            failpoint("mail.accepted")
            await self._mark(team_id, mail_id, State.HANDING)
            failpoint("mail.handing")

        try:
            answer = await self._mailer.send(message, hand_over)
            failpoint("mail.taken")
        except NoMailServer as problem:
            await self._settle(team_id, mail_id, State.KEPT, problem.sentence)
        except MailUncertain as problem:
            await self._settle(team_id, mail_id, State.UNKNOWN, problem.sentence)
        except MailNotSent as problem:
            await self._later(team_id, mail_id, problem.sentence)
        except Invalid as problem:
            await self._settle(team_id, mail_id, State.REFUSED, problem.sentence)
        else:
            await self._settle(team_id, mail_id, State.SENT, answer)

    async def _begin(self, team_id: str, mail_id: str) -> Message | None:
        """The message of an attempt that may be made; settles what must not be tried (again)."""
        async with self._database.team(team_id) as session:
            row = await _locked(session, team_id, mail_id)
            if row is None or row.state not in (State.WAITING, State.HANDING):
                return None
            moment = await now(session)
            if row.state is State.HANDING:
                _end(row, State.UNKNOWN, "The attempt was cut off while handing over.", moment)
                return None
            if moment >= row.expires_at:
                _end(row, State.LATE, row.answer, moment)
                return None
            row.attempts += 1
            rendered = render(letter_of(row, self._vault), self._settings.web_url)
            return Message(row.recipient, rendered.subject, rendered.text, row.id, rendered.html)

    async def _mark(self, team_id: str, mail_id: str, state: State) -> None:
        async with self._database.team(team_id) as session:
            row = await _locked(session, team_id, mail_id)
            if row is None or row.state is not State.WAITING:
                raise MailNotSent("Another worker is sending this mail.")
            row.state = state

    async def _settle(self, team_id: str, mail_id: str, state: State, answer: str) -> None:
        async with self._database.team(team_id) as session:
            row = await _locked(session, team_id, mail_id)
            if row is not None:
                kept = state is State.KEPT and self._settings.environment == "development"
                _end(row, state, answer, await now(session), keep_secrets=kept)
        log.info("mail %s: %s", mail_id, state.value)

    async def _later(self, team_id: str, mail_id: str, reason: str) -> None:
        async with self._database.team(team_id) as session:
            row = await _locked(session, team_id, mail_id)
            if row is None or row.state not in (State.WAITING, State.HANDING):
                return
            row.state = State.WAITING
            row.answer, moment = reason, await now(session)
            due = rules.next_try(row.attempts, moment, row.expires_at)
            if due is None:
                _end(row, State.LATE, reason, moment)
            else:
                await enqueue(session, JOB, at=due, team_id=team_id, mail_id=mail_id)
        log.warning("mail %s did not leave", mail_id)


def _end(row: Mail, state: State, answer: str, at: datetime, *, keep_secrets: bool = False) -> None:
    row.state, row.answer, row.settled_at = state, answer, at
    if not keep_secrets:
        row.secrets = None


async def _locked(session: Session, team_id: str, mail_id: str) -> Mail | None:
    return await session.scalar(
        select(Mail)
        .where(Mail.team_id == team_id, Mail.id == mail_id)
        .with_for_update(key_share=True)
    )


def letter_of(row: Mail, vault: Vault) -> Letter:
    """The letter that the row stores; a secret that is gone shows as dots."""
    kind = letters()[row.letter]
    secrets: dict[str, str] = json.loads(unseal(vault, row, "secrets")) if row.secrets else {}
    hidden = {key: SecretStr(secrets.get(key, "•••")) for key in kind.secret_fields()}
    return kind.model_validate(row.fields | hidden)


async def forget_old(session: Session) -> int:
    """Delete mails after 30 days (every team's; a system session). Gives their count."""
    gone = await session.scalars(
        delete(Mail).where(Mail.created_at <= await now(session) - rules.KEPT).returning(Mail.id)
    )
    return len(gone.all())
