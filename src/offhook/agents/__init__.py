"""Agents: what they are to say, which version answers, and the brain that answers.

    snapshot = await agents.published(session, team_id, agent_id)     # None unless live (N2)
    brain = agents.open_brain(settings)                               # once per process
    async for part in brain.reply(Briefing(team_id=..., snapshot=snapshot, channel=Channel.SMS,
                                           history=[Said(Speaker.CALLER, "Open on Sunday?")],
                                           search=search_in(database, team_id, snapshot))):
        ...                                                           # Text | Cited | HangUp | …

A briefing may carry a toolbox of `tasks`, what is known of the contact and was said before, and
the attributes that the agent fills; then parts tell also what was learned and what became of runs.

`numbers` registers who uses an agent with `agents.register(users)` (N7). `keep_test` makes a test
of a conversation, which a worker with `register_jobs` holds again with the draft (trials/).
Importing this package imports no vendor's library.
"""

from offhook.agents.brain import (
    Brain,
    Briefing,
    Channel,
    Cited,
    Earlier,
    Fillable,
    HandOver,
    HangUp,
    KnowledgeAway,
    Learned,
    NeedsPerson,
    Part,
    Said,
    Search,
    Speaker,
    StandIn,
    Text,
    Told,
    Working,
)
from offhook.agents.models import Agent, AgentVersion
from offhook.agents.opening import open_brain, read_ahead
from offhook.agents.playground import draft
from offhook.agents.problems import (
    AgentInUse,
    AgentInvalid,
    AgentNotFound,
    AgentNotReady,
    AgentStepRefused,
)
from offhook.agents.rehearsing import Rehearsed
from offhook.agents.rules import AgentStatus
from offhook.agents.service import (
    create,
    delete,
    get,
    listed,
    live,
    make_live,
    pause,
    published,
    read_live,
    to_draft,
    update,
    version,
)
from offhook.agents.snapshot import Options, Snapshot, from_json, to_json
from offhook.agents.summing_up import Summariser, Summary, open_summariser
from offhook.agents.trials.contact_keeping import Tests
from offhook.agents.trials.models import Trial
from offhook.agents.trials.rules import Done, NothingToTest, Past, Spoke
from offhook.agents.trials.running import register as register_jobs
from offhook.agents.trials.service import ask as ask_test
from offhook.agents.trials.service import keep as keep_test
from offhook.agents.trials.shapes import TestOut
from offhook.agents.users import AgentUsers, NumberInUse, register, unregister
from offhook.agents.wiring import search_in

__all__ = [
    "Agent",
    "AgentInUse",
    "AgentInvalid",
    "AgentNotFound",
    "AgentNotReady",
    "AgentStatus",
    "AgentStepRefused",
    "AgentUsers",
    "AgentVersion",
    "Brain",
    "Briefing",
    "Channel",
    "Cited",
    "Done",
    "Earlier",
    "Fillable",
    "HandOver",
    "HangUp",
    "KnowledgeAway",
    "Learned",
    "NeedsPerson",
    "NothingToTest",
    "NumberInUse",
    "Options",
    "Part",
    "Past",
    "Rehearsed",
    "Said",
    "Search",
    "Snapshot",
    "Speaker",
    "Spoke",
    "StandIn",
    "Summariser",
    "Summary",
    "TestOut",
    "Tests",
    "Text",
    "Told",
    "Trial",
    "Working",
    "ask_test",
    "create",
    "delete",
    "draft",
    "from_json",
    "get",
    "keep_test",
    "listed",
    "live",
    "make_live",
    "open_brain",
    "open_summariser",
    "pause",
    "published",
    "read_ahead",
    "read_live",
    "register",
    "register_jobs",
    "search_in",
    "to_draft",
    "to_json",
    "unregister",
    "update",
    "version",
]
