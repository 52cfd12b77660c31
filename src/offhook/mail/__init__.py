"""Mail: letters of the product by SMTP, each sent once, in plain text and HTML.

A letter is a typed model beside the template that says it; the room that sends it declares it:

    class Invited(Letter):                              # teams/letters.py
        "Somebody is invited to a team."
        name = "invited"                                # teams/templates/letters/invited.jinja
        team: str
        path: SecretStr                                 # sealed in the database, gone once sent

        @classmethod
        def sample(cls) -> "Invited": ...               # what /dev/mail shows

    await mail.send(session, team_id, "ada@example.com", Invited(...), key="...", vault=vault)

It leaves with the transaction: a job sends it, tries again for as long as the letter is of use,
and never sends one key twice. The template has blocks `subject` and `body`, written with the parts
`m.p`, `m.button`, `m.facts`, `m.note`; paths are made addresses when it is sent.

Who waits for the outcome (a task that mails) uses the mailer itself:

    mailer = mail.open_mailer(settings)
    await mailer.send(Message(to=..., subject=..., text=..., id=run.id))    # may raise a Problem

Without a mail server nothing leaves: the mail is kept for 30 days, to be read at /dev/mail in
development. Knows no team's members and no domain.
"""

from offhook.mail.jobs import register as register_jobs
from offhook.mail.letter import Letter, letters, render
from offhook.mail.mailer import (
    Mailer,
    MailNotSent,
    MailRefused,
    MailUncertain,
    Message,
    NoMailServer,
    open_mailer,
)
from offhook.mail.models import Mail, State
from offhook.mail.rules import AddressInvalid, check_address
from offhook.mail.service import send

__all__ = [
    "AddressInvalid",
    "Letter",
    "Mail",
    "MailNotSent",
    "MailRefused",
    "MailUncertain",
    "Mailer",
    "Message",
    "NoMailServer",
    "State",
    "check_address",
    "letters",
    "open_mailer",
    "register_jobs",
    "render",
    "send",
]
