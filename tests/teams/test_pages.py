"""Signing up, in and out; members; the pages of a team (SEC5)."""

import asyncio
import re

import pytest
from argon2 import PasswordHasher
from httpx import AsyncClient, Response
from sqlalchemy import func, select

from offhook import teams
from offhook.settings import Settings
from offhook.teams import service, tokens
from offhook.teams.errors import EmailInvalid
from offhook.teams.models import Membership, Role, SignIn, Team, User
from offhook.web import SESSION_COOKIE
from web_fixtures import PASSWORD, STRETCHING, Person, Site, actor_of, new_member, new_owner

HTMX = {"HX-Request": "true"}


def cookie_of(response: Response) -> str:
    found = re.search(rf"{SESSION_COOKIE}=([^;]*)", response.headers.get("set-cookie", ""))
    return found.group(1) if found else ""


async def sign_in(site: Site, email: str, password: str = PASSWORD, **more: str) -> Response:
    async with site.client() as client:
        return await client.post("/sign-in", data={"email": email, "password": password} | more)


@pytest.mark.parametrize("path", ["/team", "/team/settings", "/team/api-keys", "/account"])
async def test_every_page_renders_for_every_role(
    client: AsyncClient, site: Site, owner: Person, path: str
) -> None:
    assert (await client.get(path)).status_code == 200
    member = await new_member(site.database, owner.team_id)
    async with site.client(member) as theirs:
        assert (await theirs.get(path)).status_code == (403 if path.endswith("keys") else 200)


# --- The first owner ---


async def test_the_setup_link_works_once(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.teams.service._hooks", [])
    created: list[str] = []

    async def hook(session: object, team: Team) -> None:
        created.append(team.name)

    teams.on_team_created(hook)
    async with site.database.system() as session:
        link = await teams.setup_link(session, settings)
    assert link is not None
    path = link.removeprefix(settings.web_url)
    sent = {
        "token": path.partition("=")[2],
        "team_name": "Daily Bread",
        "email": "Ada@Example.com ",
        "password": PASSWORD,
        "timezone": "Europe/Paris",
        "country": "FR",
    }
    async with site.client() as client:
        assert (await client.get("/welcome?token=wrong")).status_code == 404
        assert (await client.post("/welcome", data=sent | {"token": "x"})).status_code == 404
        assert (await client.get(path)).status_code == 200
        weak = await client.post("/welcome", data=sent | {"password": "password1"}, headers=HTMX)
        assert weak.status_code == 422
        assert "password_too_weak" in weak.headers["HX-Problem"]
        made = await client.post("/welcome", data=sent)
        assert (made.status_code, made.headers["location"]) == (303, "/")
    async with site.client() as client:  # one without the new session's cookie
        assert (await client.get(path)).status_code == 404
        assert (await client.post("/welcome", data=sent)).status_code == 404
    async with site.database.system() as session:
        assert await teams.setup_link(session, settings) is None
        team = (await session.scalars(select(Team))).one()
        assert (team.timezone, team.country) == ("Europe/Paris", "FR")
        assert (await session.scalars(select(User.email))).one() == "ada@example.com"
    assert created == ["Daily Bread"]


# --- Signing in and out ---


async def test_signing_in_gives_a_new_session_and_ends_the_old(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        told = await client.post("/sign-in", data={"email": owner.email, "password": PASSWORD})
        fresh = cookie_of(told)
        assert fresh not in {"", owner.cookie}
        assert "httponly" in told.headers["set-cookie"].lower()
        assert "samesite=lax" in told.headers["set-cookie"].lower()
    async with site.database.system() as session:
        assert list(await session.scalars(select(SignIn.token_hash))) == [tokens.digest(fresh)]


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/team", "/team"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ],
)
async def test_after_signing_in_one_stays_on_this_host(
    site: Site, owner: Person, wanted: str, goes_to: str
) -> None:
    told = await sign_in(site, owner.email, next=wanted)
    assert told.headers["location"] == goes_to


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost what they cost the product."""
    monkeypatch.setattr(tokens, "HASHER", STRETCHING)
    tokens.nobodys_hash.cache_clear()


@pytest.mark.usefixtures("stretched")
async def test_an_unknown_user_costs_as_much_as_a_wrong_password(
    site: Site, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEC5: the same answer, and one argon2 verification with the same parameters either way."""
    verified: list[str] = []
    original = PasswordHasher.verify

    def counting(self: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored.rsplit("$", 2)[0])
        return bool(original(self, stored, password))

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    wrong = await sign_in(site, owner.email, "not the password")
    unknown = await sign_in(site, "nobody@example.com", "not the password")
    assert wrong.status_code == unknown.status_code == 422
    strip = re.compile(r"data-now=\S+|nonce\" content=\S+")
    assert strip.sub("", wrong.text) == strip.sub("", unknown.text)
    assert verified == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


async def test_guessing_is_stopped_and_says_for_how_long(site: Site, owner: Person) -> None:
    for _ in range(10):
        assert (await sign_in(site, owner.email, "wrong password")).status_code == 422
    refused = await sign_in(site, owner.email)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "900"
    other = await new_owner(site.database)
    assert (await sign_in(site, other.email)).status_code == 303


async def test_signing_out_ends_the_session(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        await client.post("/sign-out")
    async with site.client(owner) as client:
        assert (await client.get("/team")).headers["location"] == "/sign-in?next=/team"
        assert (await client.get("/team", headers=HTMX)).headers["hx-redirect"] == "/sign-in"


async def test_a_new_password_ends_every_sign_in(site: Site, owner: Person) -> None:
    other = cookie_of(await sign_in(site, owner.email))
    async with site.client(owner) as client:
        wrong = await client.post(
            "/account/password", data={"old": "x", "password": "a new password"}
        )
        assert wrong.status_code == 422
        told = await client.post(
            "/account/password", data={"old": PASSWORD, "password": "a new password"}
        )
        assert told.status_code == 303
        fresh = cookie_of(told)
    for cookie, status in ((owner.cookie, 303), (other, 303), (fresh, 200)):
        person = Person(owner.team_id, owner.user_id, owner.email, cookie)
        async with site.client(person) as client:
            assert (await client.get("/team")).status_code == status
    assert (await sign_in(site, owner.email)).status_code == 422


@pytest.mark.parametrize(
    ("created", "seen", "alive"), [(0, 0, True), (13, 13, True), (15, 15, False), (91, 0, False)]
)
async def test_a_session_ends_idle_and_absolutely(
    site: Site, owner: Person, created: int, seen: int, alive: bool
) -> None:
    """SEC5: 14 days after its last use, 90 days after its beginning."""
    async with site.database.system() as session:
        row = (await session.scalars(select(SignIn))).one()
        day = func.make_interval(0, 0, 0, 1)
        row.created_at = SignIn.created_at - day * created  # pyright: ignore[reportAttributeAccessIssue] - an SQL expression
        row.last_seen_at = SignIn.last_seen_at - day * seen  # pyright: ignore[reportAttributeAccessIssue] - as above
    async with site.client(owner) as client:
        assert (await client.get("/team")).status_code == (200 if alive else 303)


@pytest.mark.usefixtures("stretched")
async def test_no_token_and_no_password_is_stored_in_the_clear(site: Site, owner: Person) -> None:
    async with site.database.system() as session:
        assert (await session.scalars(select(SignIn.token_hash))).one() != owner.cookie
        stored = (await session.scalars(select(User.password_hash))).one()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in stored


# --- Members ---


async def test_a_link_makes_a_member_once(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        told = await client.post(
            "/team/invitations", data={"email": "bo@example.com", "role": "admin"}, headers=HTMX
        )
    found = re.search(r"/join/[\w-]+", told.text)
    assert found is not None
    path = found.group()
    async with site.client() as client:
        assert "bo@example.com" in (await client.get(path)).text
        joined = await client.post(path, data={"password": "another good one"})
        assert joined.status_code == 303
    async with site.client() as client:  # one without the new session's cookie
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path, data={"password": "another good one"})).status_code == 404
    async with site.database.system() as session:
        roles = list(await session.scalars(select(Membership.role).order_by(Membership.role)))
    assert roles == ["admin", "owner"]
    assert (await sign_in(site, "bo@example.com", "another good one")).status_code == 303


async def test_somebody_known_joins_with_the_known_password(site: Site, owner: Person) -> None:
    other = await new_owner(site.database, "Other")
    async with site.database.team(owner.team_id) as session:
        _, token = await service.invite(
            session, actor_of(owner), site.app.state.vault, email=other.email, role=Role.MEMBER
        )
    async with site.client() as client:
        wrong = await client.post(f"/join/{token}", data={"password": "not the password"})
        assert wrong.status_code == 422
        assert (await client.post(f"/join/{token}", data={"password": PASSWORD})).status_code == 303


async def test_the_last_owner_stays(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        for path, data in (
            (f"/team/members/{owner.user_id}/remove", {}),
            (f"/team/members/{owner.user_id}/role", {"role": "member"}),
        ):
            told = await client.post(path, data=data, headers=HTMX)
            assert (told.status_code, told.headers["HX-Problem"]) == (409, "last_owner")


async def test_a_removed_member_is_out_at_once(site: Site, owner: Person) -> None:
    member = await new_member(site.database, owner.team_id)
    async with site.client(owner) as client:
        told = await client.post(f"/team/members/{member.user_id}/remove")
        assert told.status_code == 303
    async with site.client(member) as client:
        assert (await client.get("/team")).status_code == 303


@pytest.mark.parametrize(
    ("role", "path", "data", "status"),
    [
        (Role.MEMBER, "/team/invitations", {"email": "x@example.com", "role": "member"}, 403),
        (Role.ADMIN, "/team/invitations", {"email": "x@example.com", "role": "member"}, 200),
        (Role.ADMIN, "/team/invitations", {"email": "x@example.com", "role": "owner"}, 403),
        (Role.MEMBER, "/team/settings", {"name": "N", "timezone": "UTC", "country": "US"}, 403),
        (Role.ADMIN, "/team/settings", {"name": "N", "timezone": "UTC", "country": "US"}, 303),
        (Role.MEMBER, "/team/api-keys", {"name": "K"}, 403),
        (Role.ADMIN, "/team/api-keys", {"name": "K"}, 200),
        (Role.ADMIN, "/team/members/{owner}/role", {"role": "member"}, 403),
        (Role.ADMIN, "/team/members/{owner}/remove", {}, 403),
    ],
)
async def test_roles(
    site: Site, owner: Person, role: Role, path: str, data: dict[str, str], status: int
) -> None:
    person = await new_member(site.database, owner.team_id, role)
    async with site.client(person) as client:
        told = await client.post(path.format(owner=owner.user_id), data=data)
    assert told.status_code == status


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(
    site: Site, owner: Person
) -> None:
    told = await asyncio.gather(*(sign_in(site, owner.email, "wrong") for _ in range(30)))
    assert sorted(each.status_code for each in told) == [422] * 10 + [429] * 20


async def test_a_right_password_is_no_failure(site: Site, owner: Person) -> None:
    for _ in range(12):
        assert (await sign_in(site, owner.email)).status_code == 303


async def test_an_address_that_mail_cannot_carry_is_refused(site: Site, settings: Settings) -> None:
    """No link for a forgotten password, and no news, would ever reach it."""
    for address in ("zoë@example.com", "a..b@example.com", "a(b)@example.com"):
        with pytest.raises(EmailInvalid):
            async with site.database.system() as session:
                await service.new_user(session, address, "a good password")
