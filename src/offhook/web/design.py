"""/design: every component in every state, in development only.

It is what one looks at before and after a change, and what screenshots are taken from.
"""

import io
import math
import struct
import wave
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.errors import Conflict
from offhook.web.page import render

router = APIRouter(include_in_schema=False)
RATE = 8000
DAY_S = 86_400


class Refused(Conflict):
    code = "example_refused"


@router.get("/design")
async def design(request: Request) -> HTMLResponse:
    now = datetime.now(UTC)
    start = int(now.timestamp()) // DAY_S * DAY_S - 29 * DAY_S
    days = [start + day * DAY_S for day in range(30)]
    values = [round(18 + 12 * math.sin(day / 3.1) + day % 5) for day in range(30)]
    return render(
        request,
        "design.html",
        started=now - timedelta(seconds=83),
        earlier=now - timedelta(hours=3),
        rows=[
            ("Front desk", "+14155550132", "on", 1204, "$18.40"),
            ("After hours", "+4930901820", "off", 7, "$0.00"),
            ("A number with a rather long name", "+442079460123", "on", 83, "$0.46"),
        ],
        chart={"x": days, "series": [{"label": "Minutes", "values": values}], "bars": True},
        by_day=_by_day(values, area=False),
        by_day_total=_by_day(list(accumulate(values)), area=True),
    )


def _by_day(values: list[int], *, area: bool) -> dict[str, Any]:
    """A month of which 22 days have begun, in two parts, with a limit and a pace."""
    begun = 22
    parts = [[value * part // 5 for value in values[:begun]] for part in (3, 2)]
    rest: list[int | None] = [None] * (len(values) - begun)
    top = sum(part[-1] for part in parts)
    pace = [None] * (begun - 2) + [top * (20 + day) // 21 for day in range(len(values) - begun + 2)]
    lines = [{"label": "Limit", "kind": "limit", "values": [max(values) * 9 // 10] * len(values)}]
    return {
        "days": [str(day + 1) for day in range(len(values))],
        "titles": [f"Day {day + 1}" for day in range(len(values))],
        "series": [
            {"label": f"Part {at}", "color": at, "values": [*part, *rest]}
            for at, part in enumerate(parts, start=1)
        ],
        "lines": [*lines, {"label": "Pace", "kind": "pace", "values": pace}] if area else lines,
        "today": begun - 1,
        "unit": "min",
        "area": area,
    }


@router.post("/design/refused")
async def refused() -> HTMLResponse:
    raise Refused("This number is enabled.", remedy="Disable it first.")


@router.get("/design/tone.wav")
async def tone() -> Response:
    """Eight seconds of two voices' worth of beeps, one a channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        for n in range(8 * RATE):
            speaks = (n // RATE) % 2
            level = int(9000 * math.sin(n / 9) * abs(math.sin(n / 900)))
            out.writeframes(struct.pack("<hh", level * (1 - speaks), level * speaks))
    return Response(file.getvalue(), media_type="audio/wav")
