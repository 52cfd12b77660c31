"""What teams write to people: an invitation, a link for a new password."""

from pydantic import SecretStr

from offhook.mail import Letter
from offhook.teams import rules


class Invited(Letter):
    """Somebody is invited to a team; the link works once."""

    name = "invited"
    useful_for = rules.INVITATION_LASTS
    team: str
    by: str
    role: str
    path: SecretStr

    @classmethod
    def sample(cls) -> "Invited":
        path = SecretStr("/join/not-a-real-invitation")
        return cls(team="Daily Bread", by="ada@example.com", role="admin", path=path)


class PasswordForgotten(Letter):
    """Somebody asked for a new password; the link works once, for half an hour."""

    name = "password_forgotten"
    useful_for = rules.RESET_LASTS
    path: SecretStr

    @classmethod
    def sample(cls) -> "PasswordForgotten":
        return cls(path=SecretStr("/new-password/not-a-real-link"))


class PasswordChanged(Letter):
    """Somebody's password was changed: told to whoever did not do it."""

    name = "password_changed"

    @classmethod
    def sample(cls) -> "PasswordChanged":
        return cls()
