"""When a mail is tried again, and which addresses can be written to. Pure."""

from datetime import datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address

from offhook.errors import Invalid

MAX_ADDRESS = 254
MAX_SUBJECT = 200
KEPT = timedelta(days=30)
RETRY_AFTER = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=16),
    timedelta(hours=24),
)


class AddressInvalid(Invalid):
    code = "mail_address_invalid"


def next_try(attempts: int, at: datetime, expires_at: datetime) -> datetime | None:
    """When to try again after so many failed attempts; None once that would be of no use."""
    if attempts > len(RETRY_AFTER):
        return None
    due = at + RETRY_AFTER[attempts - 1]
    return due if due < expires_at else None


def check_address(address: str) -> str:
    """One plain address that SMTP can carry, trimmed. Raises AddressInvalid.

    Names, lists, comments and line ends are refused, so that nothing can add another recipient or
    header. A domain in other letters is written as DNS knows it (RFC 5891).
    """
    text = address.strip()
    try:
        parsed = Address(addr_spec=text)
        local, domain = parsed.username, parsed.domain.encode("idna").decode("ascii")
        local.encode("ascii")
    except (HeaderParseError, ValueError, IndexError):
        raise _invalid(text) from None
    plain = f"{local}@{domain}"
    if not local or "." not in domain or len(plain) > MAX_ADDRESS or not plain.isprintable():
        raise _invalid(text)
    if any(character in text for character in ' <>",;:()[]\\'):
        raise _invalid(text)
    return plain


def _invalid(text: str) -> AddressInvalid:
    sentence = f"“{text[:60]}” is not an email address that can be written to."
    return AddressInvalid(
        sentence,
        remedy="Write it as name@example.com.",
        errors=[{"field": "email", "sentence": sentence}],
    )


def one_line(text: str) -> str:
    """A subject: one line, at most 200 characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_SUBJECT else f"{line[: MAX_SUBJECT - 1]}…"
