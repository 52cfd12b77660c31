"""The media process's WebSocket server: carriers' media streams, and who follows a live call.

`/stream` speaks Twilio's Media Streams; the first message must be a start with the call's token,
within a few seconds (SEC4). `/watch/<call>` is for the web process, with a token of its own, and
`/line/<call>` for members with a ticket (joining/companion.py).
Reads and writes frames; what they mean for a call is the node's and the conversation's.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,  # pyright: ignore[reportUnknownVariableType] - half annotated by its owner
)

from offhook.calls.joining.companion import Companion, Host
from offhook.calls.rate import MessageRate
from offhook.carriers import streams
from offhook.media import Clear, Mark, Outgoing

log = logging.getLogger(__name__)

START_WITHIN_S = 10.0
MAX_FRAME_BYTES = 8_192
BACKLOG_FRAMES = 100  # audio that comes while the token is being checked: 2 s


class Taker(Host, Protocol):
    """Who takes calls, and lets others join them: the node."""

    def take(self, media_stream: "MediaStream", start: streams.Start) -> None:
        """A stream presents itself; answer with `accept` or `refuse`."""
        ...

    def watch(self, watcher: "Watcher", call_id: str, token: str) -> bool:
        """Somebody wants the words of a call; False refuses."""
        ...

    def unwatch(self, watcher: "Watcher", call_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Talk:
    """The call behind a stream: where its audio, its marks, its keys and its end go."""

    feed: Callable[[bytes], None]
    marked: Callable[[str], None]
    hung_up: Callable[[], None]
    pressed: Callable[[str], None]


class MediaStream(WSListener):
    """One carrier connection; speaks for at most one call."""

    def __init__(self, taker: Taker, start_within_s: float) -> None:
        self._taker = taker
        self._start_within_s = start_within_s
        self._transport: WSTransport | None = None
        self._talk: Talk | None = None
        self._backlog: list[bytes] = []
        self._started = False
        self._rate = MessageRate()
        self._deadline: asyncio.TimerHandle | None = None
        self._stream_id = ""

    # --- from the carrier ---

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._start_within_s, self._too_late)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            return
        if frame.msg_type is not WSMsgType.TEXT:
            return
        if not self._rate.allows():
            self.refuse("too many messages")
            return
        try:
            message = streams.parse_from_carrier(frame.get_payload_as_bytes())
        except streams.FrameError as error:
            log.debug("a media message was not understood: %s", error)
            return
        self._received(message)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        if self._talk is not None:
            self._talk.hung_up()

    def _received(self, message: streams.FromCarrier | None) -> None:
        match message:
            case streams.Media(payload=payload):
                if self._talk is not None:
                    self._talk.feed(payload)
                elif self._started and len(self._backlog) < BACKLOG_FRAMES:
                    self._backlog.append(payload)
            case streams.Mark(name=name):
                if self._talk is not None:
                    self._talk.marked(name)
            case streams.Dtmf(digit=key):
                if self._talk is not None:
                    self._talk.pressed(key)
            case streams.Start() if not self._started:
                self._started = True
                self._stream_id = message.stream_id
                self._taker.take(self, message)
            case streams.Stop():
                self.close()
            case _:
                pass

    def _too_late(self) -> None:
        if not self._started:
            self.refuse("no start message")

    # --- from the node ---

    def accept(self, talk: Talk) -> None:
        """The token was this call's: what has been heard since goes to `talk`."""
        self._talk = talk
        if self._transport is None:  # gone while the token was being checked
            talk.hung_up()
            return
        for payload in self._backlog:
            talk.feed(payload)
        self._backlog.clear()

    def refuse(self, reason: str) -> None:
        """Close without a word more than needed."""
        log.warning("a media stream was refused: %s", reason)
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.POLICY_VIOLATION)
            self._transport.disconnect()

    def send(self, frames: Sequence[Outgoing]) -> None:
        """One tick's frames, marks and clears, in order."""
        transport = self._transport
        if transport is None:
            return
        for frame in frames:
            match frame:
                case bytes():
                    text = streams.dump_media(self._stream_id, frame)
                case Mark(name=name):
                    text = streams.dump(streams.SendMark(self._stream_id, name))
                case Clear():
                    text = streams.dump(streams.Clear(self._stream_id))
            transport.send(WSMsgType.TEXT, text.encode())

    def tell(self, message: Mapping[str, Any]) -> None:
        """Something beside the audio, for a page that is the caller; carriers are told nothing."""
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, json.dumps(message, ensure_ascii=False).encode())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()


class Watcher(WSListener):
    """The web process, following the words of one call while somebody looks at its page."""

    def __init__(self, taker: Taker, call_id: str, token: str) -> None:
        self._taker = taker
        self._call_id = call_id
        self._token = token
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        if not self._taker.watch(self, self._call_id, self._token):
            transport.send_close(WSCloseCode.POLICY_VIOLATION)
            transport.disconnect()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self._taker.unwatch(self, self._call_id)

    def tell(self, words: dict[str, str]) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, json.dumps(words).encode())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.GOING_AWAY)
            self._transport.disconnect()


async def listen(
    taker: Taker, host: str, port: int, *, start_within_s: float = START_WITHIN_S
) -> tuple[asyncio.Server, int]:
    """Serve `/stream`, `/watch/<call>` and `/line/<call>`; other paths are not found.

    Returns the server and its port, which the system chooses where `port` is 0.
    """

    def listener(request: WSUpgradeRequest) -> WSListener | None:
        url = urlsplit(request.path.decode("latin-1"))
        if url.path == "/stream":
            return MediaStream(taker, start_within_s)
        if url.path.startswith("/watch/"):
            token = parse_qs(url.query).get("token", [""])[0]
            return Watcher(taker, url.path.removeprefix("/watch/"), token)
        if url.path.startswith("/line/"):
            return Companion(taker, url.path.removeprefix("/line/"), url.query)
        return None

    server = await ws_create_server(
        listener, host, port, max_frame_size=MAX_FRAME_BYTES, enable_auto_ping=True
    )
    return server, server.sockets[0].getsockname()[1]
