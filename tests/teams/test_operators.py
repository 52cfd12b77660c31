"""Who runs the installation: named, kept, and alone with the operator's pages (SEC7)."""

import pytest
from fastapi import Depends

from offhook import administration
from offhook.db import Database
from offhook.settings import Settings
from offhook.teams import operator_only, operators, service
from offhook.teams.errors import LastOperator, UserUnknown
from offhook.teams.models import Role
from offhook.web import OPERATOR_NAVIGATION
from web_fixtures import PASSWORD, Person, Site, new_member, new_owner


async def test_the_first_owner_operates_the_installation(database: Database) -> None:
    async with database.system() as session:
        _, first = await service.welcome(
            session, team_name="First", email="ada@example.com", password=PASSWORD
        )
    await new_owner(database, "Second")
    async with database.system() as session:
        assert [user.id for user in await operators.operators(session)] == [first.id]


async def test_the_command_names_operators_and_one_always_stays(
    database: Database, operator: Person, owner: Person
) -> None:
    url = database.url
    with pytest.raises(LastOperator):
        await administration.change_operators(url, operator.email, add=False)
    with pytest.raises(UserUnknown):
        await administration.change_operators(url, "nobody@example.com", add=True)
    both = await administration.change_operators(url, owner.email.upper(), add=True)
    assert sorted(both) == sorted([operator.email, owner.email])
    assert await administration.change_operators(url, operator.email, add=False) == [owner.email]
    assert await administration.change_operators(url) == [owner.email]


async def test_only_operators_are_shown_their_pages(
    site: Site, operator: Person, owner: Person
) -> None:
    """SEC7: a team's owner is no operator."""
    site.app.state.web.operator_navigation = list(OPERATOR_NAVIGATION)
    async with site.client(owner) as client:
        assert "/operator" not in (await client.get("/team")).text
    async with site.client(operator) as client:
        assert 'href="/operator"' in (await client.get("/team")).text


async def test_an_operators_key_is_made_by_operators_and_ends_with_them(
    site: Site, settings: Settings, operator: Person, owner: Person
) -> None:
    """SEC6: the scope is given by a person who has the right, and lost with it."""
    wanted = {"name": "Prices", "scopes": ["read", "write", "operator"]}
    member = await new_member(site.database, operator.team_id, Role.ADMIN)
    for person in (owner, member):
        async with site.client(person) as client:
            told = await client.post("/api/v1/api-keys", json=wanted)
            assert (told.status_code, told.json()["code"]) == (403, "operator_only")
    async with site.client(operator) as client:
        made = (await client.post("/api/v1/api-keys", json=wanted)).json()
    plain = await site.key(operator)

    @site.app.get("/only", dependencies=[Depends(operator_only)])
    async def only() -> str:
        return "yes"

    async with site.program(made["key"]) as program, site.program(plain) as other:
        assert (await program.get("/only")).status_code == 200
        told = await other.get("/only", headers={"HX-Request": "true"})
        assert (told.status_code, told.headers["HX-Problem"]) == (403, "operator_only")
        told = await program.post("/api/v1/api-keys", json=wanted)
        assert (told.status_code, told.json()["code"]) == (403, "operator_only")
        await administration.change_operators(site.database.url, owner.email, add=True)
        await administration.change_operators(site.database.url, operator.email, add=False)
        assert (await program.get("/only")).status_code == 403
        assert (await program.get("/api/v1/team")).status_code == 200
