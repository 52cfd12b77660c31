"""What the brain is told for one reply on a call: what was said, is known, and may be done."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from offhook import agents, costs, inbox, tasks
from offhook.calls.errands import PATIENCE_S
from offhook.calls.parts import Parts
from offhook.calls.setting import Setting

KEYED = "Their last turn was typed on the telephone's keys."


def briefing(
    setting: Setting,
    parts: Parts,
    said: Sequence[agents.Said],
    *,
    memory: inbox.Memory,
    tools: tasks.Toolbox,
    stand_in: agents.StandIn | None,
    notes: Sequence[str],
    whispers: Sequence[str],
    spent: Callable[[Sequence[costs.Used]], None],
) -> agents.Briefing:
    """Of this call, ending with the turns to be answered."""
    call = setting.call
    return agents.Briefing(
        team_id=call.team_id,
        snapshot=call.snapshot,
        channel=agents.Channel.CALL,
        history=list(said),
        search=agents.search_in(parts.database, call.team_id, call.snapshot, patience_s=PATIENCE_S),
        now=datetime.now(ZoneInfo(setting.timezone)),
        contact_name=setting.contact_name,
        notes=(*call.notes, *notes),
        tools=tools,
        fillable=memory.fillable,
        known=memory.known,
        earlier=memory.earlier,
        spent=spent,
        whispers=whispers,
        stand_in=stand_in,
    )
