"""The media process's end of a member's WebSocket: a live call's sound, and a voice for it.

To the member
    binary    20 ms of both sides as they are heard: 320 bytes, caller's and agent's mu-law in turn
    text      {"type": "taken", "by": NAME} whoever talks in the agent's place, "" for the agent;
              the call's end closes the socket with code 1000
From the member
    text      {"type": "heard", "frames": N}, once a second or oftener: how many frames came so far.
              Whoever is more than two seconds behind misses audio; the call never waits for them.
    binary    20 ms of their voice in mu-law, if the ticket lets them talk
    text      {"type": "hand_back"}: the agent goes on

Frames and messages only; what they mean for the call is the node's and `TakingOver`'s.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, Protocol, cast

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from offhook.calls.rate import MessageRate

log = logging.getLogger(__name__)
BEHIND_FRAMES = 100
MAX_VOICE_BYTES = 1_600  # 200 ms: a browser that was held up sends several frames at once


class Host(Protocol):
    """Who has the calls: the node."""

    def join(self, companion: "Companion", call_id: str, query: str) -> bool:
        """A member shows a ticket; False refuses."""
        ...

    def leave(self, companion: "Companion") -> None: ...


class Companion(WSListener):
    """One member's connection to one call. `on_voice` and `on_hand_back` are set for who talks."""

    def __init__(self, host: Host, call_id: str, query: str) -> None:
        self._host = host
        self._query = query
        self._transport: WSTransport | None = None
        self._rate = MessageRate()
        self._sent = 0
        self._heard = 0
        self.call_id = call_id
        self.on_voice: Callable[[bytes], None] | None = None
        self.on_hand_back: Callable[[], None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        if not self._host.join(self, self.call_id, self._query):
            self.refuse()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif not self._rate.allows():
            self.refuse()
        elif frame.msg_type is WSMsgType.BINARY and self.on_voice is not None:
            self.on_voice(frame.get_payload_as_bytes()[:MAX_VOICE_BYTES])
        elif frame.msg_type is WSMsgType.TEXT:
            self._told(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self._host.leave(self)

    def _told(self, payload: bytes) -> None:
        try:
            message = cast("dict[str, Any]", json.loads(payload))
            kind, frames = message.get("type"), message.get("frames")
        except (ValueError, AttributeError):
            log.debug("a companion's message was not understood")
            return
        if kind == "heard" and isinstance(frames, int):
            self._heard = min(max(frames, self._heard), self._sent)
        elif kind == "hand_back" and self.on_hand_back is not None:
            self.on_hand_back()

    def hear(self, both: bytes) -> None:
        """20 ms of both sides; left out while the member is too far behind."""
        if self._transport is not None and self._sent - self._heard < BEHIND_FRAMES:
            self._sent += 1
            self._transport.send(WSMsgType.BINARY, both)

    def tell(self, message: dict[str, str]) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, json.dumps(message).encode())

    def refuse(self) -> None:
        self._close(WSCloseCode.POLICY_VIOLATION)

    def close(self) -> None:
        """The call is over."""
        self._close(WSCloseCode.OK)

    def _close(self, code: WSCloseCode) -> None:
        if self._transport is not None:
            self._transport.send_close(code)
            self._transport.disconnect()
