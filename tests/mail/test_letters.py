"""Every letter can be read in both forms, and looked at in development."""

import re
from importlib import import_module

import pytest
from httpx import AsyncClient

from offhook import mail
from offhook.settings import Settings

BASE = "https://phone.example.com/"
import_module("offhook.app")  # every room declares its letters
NAMES = sorted(mail.letters())


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_says_the_same_in_both_forms(name: str) -> None:
    kind = mail.letters()[name]
    assert kind.__doc__
    rendered = mail.render(kind.sample(), BASE)
    assert 5 <= len(rendered.subject) <= 100
    for form in (rendered.text, rendered.html):
        assert "None" not in form
        assert "https://phone.example.com//" not in form
    assert not re.search(r"<[a-z/]|&amp;|&#", rendered.text)
    assert not re.search(r"\n{3}", rendered.text)
    links = set(re.findall(r'href="([^"]+)"', rendered.html))
    assert all(link.startswith("https://phone.example.com") for link in links)
    assert links <= {word.rstrip(".") for word in rendered.text.split()}


def test_what_a_team_calls_itself_stays_text() -> None:
    kind = mail.letters()["invited"]
    letter = kind.model_validate(kind.sample().model_dump() | {"team": "<b>Bread & Söhne</b>"})
    rendered = mail.render(letter, BASE)
    assert "<b>Bread & Söhne</b>" in rendered.text
    assert "<b>Bread" not in rendered.html
    assert rendered.subject == "Join <b>Bread & Söhne</b> on Offhook"


@pytest.mark.parametrize("name", NAMES)
async def test_each_letter_can_be_looked_at_in_development(client: AsyncClient, name: str) -> None:
    assert name in (await client.get("/dev/mail")).text
    page = await client.get(f"/dev/mail/letters/{name}")
    assert page.status_code == 200
    assert "unsafe-inline" in page.headers["content-security-policy"]
    assert (await client.get(f"/dev/mail/letters/{name}?form=text")).text.startswith("Subject: ")


async def test_what_was_sent_can_be_read_in_development_only(
    client: AsyncClient, settings: Settings
) -> None:
    invited = {"email": "bo@example.com", "role": "member"}
    assert (await client.post("/team/invitations", data=invited)).status_code == 200
    listed = (await client.get("/dev/mail")).text
    found = re.search(r"/dev/mail/(mail_\w+)", listed)
    assert found is not None
    assert "/join/" in (await client.get(found.group())).text
    settings.environment = "production"
    assert (await client.get("/dev/mail")).status_code == 404
    assert (await client.get(found.group())).status_code == 404
