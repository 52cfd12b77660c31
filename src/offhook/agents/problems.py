"""The refusals of this room.

AgentNotFound     404  not there, or another team's
AgentVersionNotFound 404 no such version of it
AgentInvalid      422  a field cannot be used; `fields` says which and why
AgentNotReady     409  something is missing to go live; `missing` lists it all
AgentInUse        409  enabled numbers depend on it; `numbers` lists them (N7)
AgentStepRefused  409  its status does not allow the step
DraftChanged      409  somebody has changed the draft since it was looked at
"""

from offhook.errors import Conflict, Invalid, NotFound


class AgentNotFound(NotFound):
    code = "agent_not_found"


class AgentInvalid(Invalid):
    code = "agent_invalid"


class AgentNotReady(Conflict):
    code = "agent_not_ready"


class AgentInUse(Conflict):
    code = "agent_in_use"


class AgentStepRefused(Conflict):
    code = "agent_step_refused"


class DraftChanged(Conflict):
    code = "draft_changed"


class AgentVersionNotFound(NotFound):
    code = "agent_version_not_found"
