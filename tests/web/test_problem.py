"""Every kind of refusal as problem+json, as an htmx message and as a page."""

import pytest
from fastapi import APIRouter
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel
from sqlalchemy import text
from starlette.requests import Request

from offhook.db import Busy, Database
from offhook.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unavailable
from offhook.web import Banner
from offhook.web.csrf import HEADER, SEED_COOKIE, sign
from web_fixtures import Person, Site


class Full(Conflict):
    code = "lines_full"


class Body(BaseModel):
    limit: int
    password: str


PROBLEMS: dict[str, Problem] = {
    "invalid": Invalid("“0” is not a limit.", remedy="Use 1 or more.", limit=0),
    "not-found": NotFound("There is no number num_1."),
    "conflict": Full("All 2 lines are in use.", remedy="Wait.", lines=2),
    "forbidden": Forbidden("Only an owner can do this."),
    "unavailable": Unavailable("The carrier does not answer.", retry_after_s=30),
}
BUSY = "busy"
CANARY = "a-secret-in-an-error"


@pytest.fixture
def open_site(site: Site) -> Site:
    """Routes that refuse, below /api/ and as pages."""
    router = APIRouter()
    for prefix in ("/api/v1/test", "/test"):

        @router.post(prefix + "/broken")
        async def broken() -> None:
            raise RuntimeError(CANARY)

        @router.post(prefix + "/{name}/refused")
        async def refused(name: str) -> None:
            if name == BUSY:
                raise Busy("no connection became free in 30 s")
            raise PROBLEMS[name]

        @router.post(prefix + "/body")
        async def body(body: Body) -> None: ...

        @router.post(prefix + "/upload", max_body_size=2_000_000)
        async def upload(body: dict[str, str]) -> None: ...

    site.app.include_router(router)
    return site


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("invalid", 422, "invalid"),
        ("not-found", 404, "not_found"),
        ("conflict", 409, "lines_full"),
        ("forbidden", 403, "forbidden"),
        ("unavailable", 503, "unavailable"),
    ],
)
async def test_a_problem_is_json_for_programs_and_a_message_for_people(
    open_site: Site, name: str, status: int, code: str
) -> None:
    problem = PROBLEMS[name]
    async with open_site.client() as client:
        told = await client.post(f"/api/v1/test/{name}/refused")
        assert (told.status_code, told.headers["content-type"]) == (
            status,
            "application/problem+json",
        )
        body = told.json()
        assert body["code"] == code
        assert body["status"] == status
        assert body["detail"] == problem.sentence
        assert body["remedy"] == problem.remedy
        assert {"type", "title", "errors", "details"} <= body.keys()

        message = await client.post(f"/test/{name}/refused", headers={"HX-Request": "true"})
        assert message.status_code == status
        assert message.headers["HX-Retarget"] == "#messages"
        assert message.headers["HX-Problem"] == code
        assert "<html" not in message.text
        assert problem.sentence in message.text

        page = await client.post(f"/test/{name}/refused")
        assert page.status_code == status
        assert "<html" in page.text
        assert problem.sentence in page.text


async def test_somebody_signed_in_keeps_the_sidebar_on_a_problems_page(
    open_site: Site, owner: Person
) -> None:
    async with open_site.client(owner) as client:
        told = await client.get("/nothing")
    assert told.status_code == 404
    assert owner.email in told.text


async def test_banners_come_from_every_room_that_has_some(open_site: Site, owner: Person) -> None:
    async def billing(request: Request) -> list[Banner]:
        return [Banner("warning", "No payment method.", "/billing", "Add a card")]

    open_site.app.state.web.banners.append(billing)
    async with open_site.client(owner) as client:
        told = await client.get("/banners")
        assert "No payment method." in told.text
        assert 'hx-get="/banners"' in (await client.get("/team")).text
    async with open_site.client() as nobody:
        assert (await nobody.get("/banners")).headers["location"] == "/sign-in?next=/banners"


async def test_a_problem_that_passes_says_when_to_try_again(open_site: Site) -> None:
    async with open_site.client() as client:
        told = await client.post("/api/v1/test/unavailable/refused")
    assert told.headers["retry-after"] == "30"


async def test_who_finds_no_connection_is_asked_to_come_again(open_site: Site) -> None:
    async with open_site.client() as client:
        told = await client.post("/api/v1/test/busy/refused")
        message = await client.post("/test/busy/refused", headers={"HX-Request": "true"})
        page = await client.post("/test/busy/refused")
    assert {each.status_code for each in (told, message, page)} == {503}
    assert {each.headers["retry-after"] for each in (told, message, page)} == {"5"}
    assert told.json()["code"] == message.headers["HX-Problem"] == "overloaded"
    assert told.json()["detail"] in message.text
    assert told.json()["remedy"] in page.text


async def test_who_finds_no_database_is_asked_to_come_again(open_site: Site) -> None:
    router = APIRouter()
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")

    @router.post("/api/v1/test/{what}")
    async def asked(what: str) -> None:
        async with (away if what == "away" else open_site.database).system() as session:
            cut = "SELECT pg_terminate_backend(pg_backend_pid())"
            await session.execute(text(cut if what == "cut" else "SELECT nothing"))

    open_site.app.include_router(router)
    async with open_site.client() as client:
        answers = {
            what: await client.post(f"/api/v1/test/{what}") for what in ("away", "cut", "wrong")
        }
    told = {what: (each.status_code, each.json()["code"]) for what, each in answers.items()}
    gone = (503, "database_away")
    assert told == {"away": gone, "cut": gone, "wrong": (500, "internal_error")}
    assert answers["cut"].headers["retry-after"] == "5"


async def test_details_are_for_programs(open_site: Site) -> None:
    async with open_site.client() as client:
        told = await client.post("/api/v1/test/conflict/refused")
    assert told.json()["details"] == {"lines": 2}


async def test_every_bad_field_is_named_at_once_and_nothing_sent_is_repeated(
    open_site: Site,
) -> None:
    sent = {"limit": "many", "password": ["hunter2hunter2"]}
    async with open_site.client() as client:
        told = await client.post("/api/v1/test/body", json=sent)
    assert told.status_code == 422
    assert told.json()["code"] == "validation_failed"
    assert [error["field"] for error in told.json()["errors"]] == ["limit", "password"]
    assert "hunter2" not in told.text


@pytest.mark.parametrize("sent", [b"{", b"\xff\xfe", b"[1,", b"nul"])
async def test_what_is_no_json_is_refused(open_site: Site, sent: bytes) -> None:
    async with open_site.client() as client:
        told = await client.post(
            "/api/v1/test/body", content=sent, headers={"content-type": "application/json"}
        )
    assert told.status_code == 400
    assert told.json()["code"] == "bad_request"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("DELETE", "/api/v1/test/body", 405, "method_not_allowed"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    open_site: Site, method: str, path: str, status: int, code: str
) -> None:
    async with open_site.client() as client:
        told = await client.request(method, path)
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert path in told.json()["detail"]


async def test_a_refused_method_names_those_that_are_allowed(open_site: Site) -> None:
    async with open_site.client() as client:
        told = await client.delete("/api/v1/test/body")
    assert told.headers["allow"] == "POST"


async def test_a_program_without_a_key_is_told_so(open_site: Site) -> None:
    transport = ASGITransport(open_site.app)
    async with AsyncClient(transport=transport, base_url="http://testserver") as nobody:
        told = await nobody.post("/api/v1/api-keys", json={"name": "x"})
    assert (told.status_code, told.json()["code"]) == (401, "signed_out")


@pytest.mark.parametrize("prefix", ["/api/v1/test", "/test"])
async def test_an_unforeseen_error_tells_an_incident_and_nothing_else(
    open_site: Site, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_site.client() as client:
        told = await client.post(f"{prefix}/broken")
    assert told.status_code == 500
    assert CANARY not in told.text
    assert "RuntimeError" not in told.text
    assert "Content-Security-Policy" in told.headers
    incident = caplog.records[-1].getMessage().split()[1].rstrip(":")
    assert incident in told.text


@pytest.mark.parametrize(
    ("path", "limit"), [("/api/v1/test/body", 1_000_000), ("/api/v1/test/upload", 2_000_000)]
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_may_have_its_limit_and_no_octet_more(
    open_site: Site, path: str, limit: int, chunked: bool
) -> None:
    """SEC26: 1 MB, or what the route of an upload says; also without a Content-Length."""

    async def send(size: int) -> int:
        text = b'{"limit": 1, "password": "' + b"x" * (size - 28) + b'"}'
        assert len(text) == size

        async def parts():
            yield text[: size // 2]
            yield text[size // 2 :]

        headers = {"content-type": "application/json"}
        told = await client.post(path, content=parts() if chunked else text, headers=headers)
        if told.status_code == 413:
            assert told.json()["code"] == "too_large"
        return told.status_code

    async with open_site.client() as client:
        assert await send(limit) != 413
        assert await send(limit + 1) == 413


async def test_every_answer_carries_the_security_headers(open_site: Site) -> None:
    async with open_site.client() as client:
        for path in ("/sign-in", "/api/v1/nothing", "/static/mark.svg"):
            headers = (await client.get(path)).headers
            policy = headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"


SAME = {"sec-fetch-site": "same-origin", "origin": "http://testserver"}


@pytest.mark.parametrize(
    ("token", "headers", "passes"),
    [
        ("right", {}, True),
        ("right", SAME, True),
        ("form", {}, True),
        ("none", {}, False),
        ("other session", {}, False),
        ("right", {"sec-fetch-site": "cross-site"}, False),
        ("right", {"sec-fetch-site": "same-site"}, False),
        ("right", {"origin": "https://evil.example"}, False),
    ],
)
async def test_an_unsafe_request_needs_the_token_of_its_own_browser(
    open_site: Site, token: str, headers: dict[str, str], passes: bool
) -> None:
    secret = open_site.app.state.web.secret
    right = sign(secret, "seed", "")
    sent = {"right": right, "other session": sign(secret, "seed", "x")}.get(token)
    transport = ASGITransport(open_site.app)
    async with AsyncClient(
        transport=transport, base_url="http://testserver", cookies={SEED_COOKIE: "seed"}
    ) as client:
        told = await client.post(
            "/test/conflict/refused",
            headers=headers | ({HEADER: sent} if sent else {}),
            data={"csrf_token": right, "x": "y"} if token == "form" else None,
        )
    assert told.status_code == (409 if passes else 403)


async def test_without_the_seed_cookie_no_token_is_right(open_site: Site) -> None:
    token = sign(open_site.app.state.web.secret, "", "")
    transport = ASGITransport(open_site.app)
    async with AsyncClient(transport=transport, base_url="http://testserver") as client:
        told = await client.post("/test/conflict/refused", headers={HEADER: token})
    assert told.status_code == 403
