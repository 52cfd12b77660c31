"""The bytes of a delivery (W3, W4, W12): Standard Webhooks' shape, small, made once. Pure.

    {"type": "call.ended", "timestamp": "2026-05-14T12:00:00.000Z", "sequence": 7,
     "data": {"call_id": "call_…", "reason": "caller_hung_up", …}}

`data` has ids and state. What was said is in it only where the endpoint asks for it, and is cut
where all of it would not fit: `data.text_cut` says so, and the API has the rest.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

MOST_BYTES = 20_000
SHORT = 200
_CUT: Mapping[str, Any] = {"text_cut": True}


def body(
    name: str,
    at: datetime,
    sequence: int | None,
    data: Mapping[str, Any],
    said: Sequence[Mapping[str, Any]] | None = None,
) -> bytes:
    """The UTF-8 JSON of an event, at most 20 kB. `said`: its turns, each with a `text`."""
    whole = _Whole(name, at, sequence)
    if said is None:
        thin = whole.written(data)
        return thin if len(thin) <= MOST_BYTES else whole.written(_shortened(data))
    full = whole.written({**data, "turns": [dict(turn) for turn in said], "text_cut": False})
    return full if len(full) <= MOST_BYTES else whole.cut(data, said)


class _Whole:
    """What stands around the data of one event."""

    def __init__(self, name: str, at: datetime, sequence: int | None) -> None:
        stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._around = {"type": name, "timestamp": stamp, "sequence": sequence}

    def written(self, data: Mapping[str, Any]) -> bytes:
        return _json({**self._around, "data": data})

    def cut(self, data: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> bytes:
        """As many turns as fit, the last of them perhaps not whole."""
        room = MOST_BYTES - len(self.written({**data, "turns": [], **_CUT}))
        kept: list[Mapping[str, Any]] = []
        for turn in said:
            comma = len(",") if kept else 0
            whole = len(_json(turn)) + comma
            if whole <= room:
                kept.append(turn)
                room -= whole
                continue
            frame = len(_json({**turn, "text": ""})) + comma
            if text := _first(str(turn["text"]), room - frame):
                kept.append({**turn, "text": text})
            break
        return self.written({**data, "turns": kept, **_CUT})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _first(text: str, room: int) -> str:
    """The longest beginning of `text` that takes at most `room` bytes as JSON."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(_json(text[:middle])) - len('""') <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low]


def _shortened(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same members, each long text cut."""
    short = {key: value[:SHORT] if isinstance(value, str) else value for key, value in data.items()}
    return {**short, **_CUT}
