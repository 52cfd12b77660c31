"""REST of teams: keys (SEC6), tenants (SEC7), the team's zone (U2)."""

from datetime import UTC, datetime

import pytest
from httpx import AsyncClient
from sqlalchemy import func, select, text

from offhook.teams import rules
from offhook.teams.models import ApiKey, Role
from web_fixtures import Person, Site, new_member, new_owner


async def test_a_key_is_shown_once_and_stored_nowhere(
    site: Site, client: AsyncClient, owner: Person
) -> None:
    """SEC6: nothing in the database holds the key, in any column of any table."""
    made = (await client.post("/api/v1/api-keys", json={"name": "Booking"})).json()
    key = made["key"]
    assert key.startswith("ohk_")
    assert len(key) >= 4 + 43
    listed = (await client.get("/api/v1/api-keys")).json()["items"]
    assert "key" not in listed[0]
    assert key not in str(listed)
    async with site.database.system() as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        for table in tables:
            hits = await session.scalar(
                text(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE :key'),  # noqa: S608 - the database's own table names
                {"key": f"%{key[4:]}%"},
            )
            assert hits == 0, table


async def test_a_key_acts_within_its_scopes_until_it_is_revoked(
    site: Site, client: AsyncClient, owner: Person
) -> None:
    key = await site.key(owner, ("read",))
    async with site.program(key) as program:
        assert (await program.get("/api/v1/team")).status_code == 200
        told = await program.patch("/api/v1/team", json={"name": "New"})
        assert (told.status_code, told.json()["code"]) == (403, "scope_missing")
        listed = (await client.get("/api/v1/api-keys")).json()["items"]
        assert listed[0]["last_used_at"] is not None
        assert (await client.delete(f"/api/v1/api-keys/{listed[0]['id']}")).status_code == 204
        told = await program.get("/api/v1/team")
        assert (told.status_code, told.json()["code"]) == (401, "api_key_refused")
        assert told.headers["www-authenticate"] == "Bearer"
    again = await client.delete(f"/api/v1/api-keys/{listed[0]['id']}")
    assert (again.status_code, again.json()["code"]) == (404, "api_key_unknown")


async def test_an_expired_key_is_refused(site: Site, owner: Person) -> None:
    key = await site.key(owner)
    async with site.database.system() as session:
        row = (await session.scalars(select(ApiKey))).one()
        row.expires_at = func.clock_timestamp()  # pyright: ignore[reportAttributeAccessIssue] - an SQL expression
    async with site.program(key) as program:
        assert (await program.get("/api/v1/team")).status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ohk_x", "Bearer ohk_x y", "ohk_x", "Digest x"]
)
async def test_a_wrong_key_does_not_fall_back_to_the_cookie(
    client: AsyncClient, header: str
) -> None:
    """A request with both is the key's: a page of ours never sends one."""
    told = await client.get("/api/v1/team", headers={"Authorization": header})
    assert told.status_code == 401


async def test_a_proxys_password_is_none_of_ours(client: AsyncClient) -> None:
    """A browser adds `Basic` for a proxy in front: the cookie counts, and so does the token."""
    client.headers["authorization"] = "Basic b2g6eA=="
    assert (await client.get("/api/v1/team")).status_code == 200
    del client.headers["x-csrf-token"]
    assert (await client.patch("/api/v1/team", json={"name": "B"})).status_code == 403


async def test_a_key_needs_no_csrf_token_and_a_cookie_does(
    site: Site, client: AsyncClient, owner: Person
) -> None:
    key = await site.key(owner)
    async with site.program(key) as program:
        assert (await program.patch("/api/v1/team", json={"name": "A"})).status_code == 200
    del client.headers["x-csrf-token"]
    told = await client.patch("/api/v1/team", json={"name": "B"})
    assert (told.status_code, told.json()["code"]) == (403, "cross_site")


async def test_other_teams_things_are_not_there(
    site: Site, client: AsyncClient, owner: Person
) -> None:
    """SEC7: 404, never 403, and nothing changed."""
    stranger = await new_owner(site.database, "Other")
    member = await new_member(site.database, stranger.team_id)
    await site.key(stranger)
    async with site.client(stranger) as theirs:
        key = (await theirs.get("/api/v1/api-keys")).json()["items"][0]["id"]
        sent = {"email": "x@example.com", "role": "member"}
        invitation = (await theirs.post("/api/v1/invitations", json=sent)).json()["id"]
        before = [
            (await theirs.get(f"/api/v1/{what}")).json()
            for what in ("team", "members", "invitations", "api-keys")
        ]
        for path in (
            f"/api/v1/api-keys/{key}",
            f"/api/v1/invitations/{invitation}",
            f"/api/v1/members/{member.user_id}",
        ):
            assert (await client.delete(path)).status_code == 404
        change = {"role": "owner"}
        path = f"/api/v1/members/{member.user_id}"
        assert (await client.patch(path, json=change)).status_code == 404
        after = [
            (await theirs.get(f"/api/v1/{what}")).json()
            for what in ("team", "members", "invitations", "api-keys")
        ]
    assert before == after


async def test_every_list_needs_somebody(site: Site) -> None:
    async with site.client() as nobody:
        for what in ("team", "members", "invitations", "api-keys"):
            told = await nobody.get(f"/api/v1/{what}")
            assert (told.status_code, told.json()["code"]) == (401, "signed_out")


async def test_a_new_zone_waits_for_the_months_end(client: AsyncClient) -> None:
    """U2: until then the old one counts."""
    told = (await client.patch("/api/v1/team", json={"timezone": "Asia/Tokyo"})).json()
    assert (told["timezone"], told["next_timezone"]) == ("UTC", "Asia/Tokyo")
    assert told["next_timezone_from"].endswith("-01T00:00:00Z")
    back = (await client.patch("/api/v1/team", json={"timezone": "UTC"})).json()
    assert (back["timezone"], back["next_timezone"]) == ("UTC", None)


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ({"name": "  "}, "name_invalid", "name"),
        ({"name": "x" * 81}, "name_invalid", "name"),
        ({"timezone": "Mars/Base"}, "timezone_unknown", "timezone"),
        ({"country": "XX"}, "country_unknown", "country"),
        ({"zone": "UTC"}, "validation_failed", "zone"),
    ],
)
async def test_what_a_team_cannot_be(
    client: AsyncClient, sent: dict[str, str], code: str, field: str
) -> None:
    told = await client.patch("/api/v1/team", json=sent)
    assert told.status_code == 422
    assert told.json()["code"] == code
    assert told.json()["errors"][0]["field"] == field


async def test_openapi_lists_every_route(client: AsyncClient) -> None:
    paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
    assert {"/api/v1/team", "/api/v1/members", "/api/v1/api-keys/{key_id}"} <= set(paths)
    assert all(path.startswith("/api/v1/") for path in paths)


async def test_openapi_tells_our_errors_and_how_to_show_a_key(client: AsyncClient) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    responses = document["paths"]["/api/v1/team"]["patch"]["responses"]
    assert set(responses) == {"200", "default"}
    assert "application/problem+json" in responses["default"]["content"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document["security"] == [{"key": []}]


# --- Rules ---


@pytest.mark.parametrize(
    ("moment", "zone", "end"),
    [
        ("2026-05-14T12:00", "UTC", "2026-06-01T00:00"),
        ("2026-12-31T23:59", "UTC", "2027-01-01T00:00"),
        ("2026-05-31T23:30", "Europe/Paris", "2026-06-30T22:00"),
        ("2026-05-14T12:00", "America/Los_Angeles", "2026-06-01T07:00"),
        ("2026-03-14T12:00", "Europe/Paris", "2026-03-31T22:00"),
    ],
)
def test_the_months_end(moment: str, zone: str, end: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert rules.month_end(at, zone) == datetime.fromisoformat(end).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("1234567", False),
        ("password", False),
        ("Password1", False),
        ("ada@example.com", False),
        ("offhook123", False),
        ("x" * 257, False),
        ("correct horse battery", True),
        ("zbkqpwxv", True),
        ("ünïcödé pässwörd", True),
        ("x7" * 64, True),
    ],
)
def test_passwords(password: str, fine: bool) -> None:
    """SEC5: length and the list of common ones; no rule of composition."""
    if fine:
        assert rules.check_password(password, "ada@example.com") == password
    else:
        with pytest.raises(rules.PasswordTooWeak):
            rules.check_password(password, "ada@example.com")


@pytest.mark.parametrize(
    ("held", "needed", "allowed"),
    [
        (Role.MEMBER, Role.MEMBER, True),
        (Role.MEMBER, Role.ADMIN, False),
        (Role.ADMIN, Role.ADMIN, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.OWNER, Role.ADMIN, True),
    ],
)
def test_ranks(held: Role, needed: Role, allowed: bool) -> None:
    assert rules.allows(held, needed) is allowed


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", "a b@c.de", "a@b@c.de", "<a@b.de>", "x" * 250 + "@b.de"]
)
def test_what_is_no_address(email: str) -> None:
    with pytest.raises(rules.EmailInvalid):
        rules.check_email(email)
