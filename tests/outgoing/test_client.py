"""The guarded client against servers that misbehave (SEC24, W8)."""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from offhook.outgoing import Call, NotPublic, NotReached, Outgoing, UrlRefused
from offhook.settings import Settings

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler, **options: Any) -> AsyncGenerator[int]:
    """A server on loopback; `handler` gets each request's head and writes the answer."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0, **options)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def allowing(*ports: int, **others: Any) -> Outgoing:
    given: dict[str, Any] = {
        "outgoing_http": True,
        "outgoing_ports": list(ports),
        "outgoing_private_networks": ["127.0.0.0/8"],
    }
    return Outgoing(Settings(**(given | others)))


def answering(head: str, body: bytes = b"", seen: list[bytes] | None = None) -> Handler:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        if seen is not None:
            seen.append(request)
        length = f"content-length: {len(body)}\r\n"
        writer.write(f"HTTP/1.1 {head}\r\n{length}\r\n".encode() + body)

    return answer


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "0177.0.0.1"]
)
async def test_every_spelling_of_loopback_is_denied(host: str) -> None:
    async with Outgoing(Settings()) as out:
        with pytest.raises((NotPublic, UrlRefused)):
            await out.send(Call("GET", f"https://{host}/"))


async def test_one_private_address_among_public_ones_is_denied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def both(*_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
            for address in ("93.184.216.34", "10.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    async with Outgoing(Settings()) as out:
        with pytest.raises(NotPublic, match=r"10\.0\.0\.1"):
            await out.send(Call("GET", "https://both.example/"))


async def test_the_name_is_resolved_once_and_sent_as_host(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def once(host: Any, port: Any, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.9.9.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    seen: list[bytes] = []
    async with server(answering("200 OK", b"hello", seen)) as port, allowing(port) as out:
        real = socket.getaddrinfo

        def through(host: Any, port: Any, *options: Any, **named: Any) -> list[Any]:
            if host == "shop.example":
                return once(host, port)
            return real(host, port, *options, **named)

        monkeypatch.setattr(socket, "getaddrinfo", through)
        answer = await out.send(Call("POST", f"http://shop.example:{port}/x", body=b"{}"))
    assert answer.body == b"hello"
    assert asked == ["shop.example"]
    assert f"host: shop.example:{port}" in seen[0].decode().lower()


async def test_a_redirect_is_an_answer_unless_asked_for() -> None:
    moved = answering("308 Moved\r\nlocation: https://127.0.0.1/")
    async with server(moved) as port, allowing(port) as out:
        answer = await out.send(Call("POST", f"http://127.0.0.1:{port}/", body=b"x"))
    assert answer.status == 308


async def test_each_hop_passes_the_filter_and_credentials_stay_at_home() -> None:
    seen: list[bytes] = []
    async with server(answering("200 OK", b"page", seen)) as second:
        moved = f"302 Found\r\nlocation: http://localhost:{second}/there"
        async with server(answering(moved)) as first, allowing(first, second) as out:
            call = Call(
                "GET",
                f"http://127.0.0.1:{first}/",
                headers={
                    "authorization": "Bearer s3cret",
                    "x-key": "s3cret",
                    "accept": "text/html",
                },
                redirects=3,
            )
            answer = await out.send(call)
    assert (answer.status, answer.body) == (200, b"page")
    assert answer.url == f"http://localhost:{second}/there"
    assert b"s3cret" not in seen[0]
    assert b"text/html" in seen[0]


async def test_a_redirect_to_a_denied_address_is_not_followed() -> None:
    moved = answering("302 Found\r\nlocation: http://10.0.0.1/")
    async with server(moved) as port, allowing(port) as out:
        with pytest.raises(NotPublic):
            await out.send(Call("GET", f"http://127.0.0.1:{port}/", redirects=3))


async def test_redirects_end() -> None:
    async with server(answering("302 Found\r\nlocation: /again")) as port, allowing(port) as out:
        answer = await out.send(Call("GET", f"http://127.0.0.1:{port}/", redirects=3))
    assert answer.status == 302


async def test_an_endless_body_is_read_to_its_limit() -> None:
    async def endless(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _turn in range(10_000):
            writer.write(b"x" * 65536)
            await writer.drain()

    async with server(endless) as port, allowing(port) as out:
        answer = await out.send(Call("GET", f"http://127.0.0.1:{port}/"))
    assert (len(answer.body), answer.truncated) == (65536, True)


async def test_a_byte_a_second_ends_with_the_time_in_all() -> None:
    released = asyncio.Event()

    async def slow(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx")
        await writer.drain()
        await released.wait()

    async with server(slow) as port, allowing(port) as out:
        with pytest.raises(NotReached, match="longer than"):
            await out.send(Call("GET", f"http://127.0.0.1:{port}/", total_s=0.3))
        released.set()


async def test_a_broken_answer_and_a_closed_port_are_told() -> None:
    async def cut(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")

    async with server(cut) as port, allowing(port) as out:
        with pytest.raises(NotReached, match="broke"):
            await out.send(Call("GET", f"http://127.0.0.1:{port}/"))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with allowing(port) as out:
        with pytest.raises(NotReached, match="no connection"):
            await out.send(Call("GET", f"http://127.0.0.1:{port}/"))


async def test_an_unknown_name_is_told() -> None:
    async with Outgoing(Settings()) as out:
        with pytest.raises(NotReached, match="not found"):
            await out.send(Call("GET", "https://nowhere.invalid/"))


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `name` that signs itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    moment = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name[0].isdigit():
        names = [x509.IPAddress(ipaddress.ip_address(name))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


async def test_the_certificate_is_checked_against_the_name(tmp_path: Path) -> None:
    public, context = certificate(tmp_path, "localhost")
    told: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: told.append(name)
    async with server(answering("200 OK", b"safe"), ssl=context) as port:
        async with allowing(port, outgoing_ca_file=str(public)) as out:
            answer = await out.send(Call("GET", f"https://localhost:{port}/"))
            assert (answer.body, told) == (b"safe", ["localhost"])
            with pytest.raises(NotReached, match="certificate"):
                await out.send(Call("GET", f"https://127.0.0.1:{port}/"))
        async with allowing(port) as out:  # nobody trusts it
            with pytest.raises(NotReached, match="certificate"):
                await out.send(Call("GET", f"https://localhost:{port}/"))


async def test_names_that_nobody_answers_for_hold_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that says nothing keeps its thread for half a minute; its name is then asked
    for once, however many want it (W9).
    """
    given_up, real = threading.Event(), socket.getaddrinfo
    waiting: list[str] = []

    def resolve(host: str, *options: Any, **named: Any) -> list[Any]:
        if host.endswith(".silent.example"):
            waiting.append(host)
            given_up.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "nobody answers")
        return real(host, *options, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        async with server(answering("200 OK", b"hello")) as port, allowing(port) as out:

            async def ask(name: str) -> None:
                with pytest.raises(NotReached):
                    url = f"http://{name}.silent.example:{port}/"
                    await out.send(Call("GET", url, connect_s=0.2))

            for _ in range(2):
                await asyncio.gather(*(ask(f"n{number % 40}") for number in range(120)))
            answer = await out.send(Call("GET", f"http://localhost:{port}/", connect_s=20.0))
    finally:
        given_up.set()
    assert answer.body == b"hello"
    assert len(waiting) == len(set(waiting)) == 40


async def test_a_header_that_is_no_ascii_travels_as_it_is() -> None:
    """An ETag of somebody's server, a user name in a digest: also behind a redirect."""
    seen: list[bytes] = []

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        moved = b"HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n"
        here = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        writer.write(here if b"/there" in request else moved)

    async with server(answer) as port, allowing(port) as out:
        call = Call("GET", f"http://127.0.0.1:{port}/", {"if-none-match": '"é"'}, redirects=1)
        assert (await out.send(call)).status == 200
    assert [b'if-none-match: "\xc3\xa9"' in each.lower() for each in seen] == [True, True]
