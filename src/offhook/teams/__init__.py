"""Teams, members, sign-in, roles and API keys.

Above all for other rooms: `CurrentActor` (who asks, for which team), `TeamSession` (the request's
one transaction, which sees that team's rows only), `require(Role.ADMIN)` and `OnceOnly`.

What only the operator of the installation does takes `OperatorActor` and `SystemSession` (every
team's rows); its pages extend `operator_shell.html`, fill `{% block operator %}`, and have an entry
in `web.OPERATOR_NAVIGATION`. In a template: `{% if viewer.is_operator %}`.
"""

from offhook.teams import forgotten, operators
from offhook.teams.access import (
    Actor,
    AdminActor,
    CurrentActor,
    OnceOnly,
    OperatorActor,
    OwnerActor,
    SystemSession,
    TeamSession,
    identify,
    operator_only,
    require,
)
from offhook.teams.jobs import register as register_jobs
from offhook.teams.models import Role, Team
from offhook.teams.rules import allows, zone_at
from offhook.teams.service import (
    as_kept,
    create_team,
    joined_at,
    masks_numbers,
    members,
    on_member_removed,
    on_team_created,
    setup_link,
    still_here,
    team,
    today_began,
    zone,
)

__all__ = [
    "Actor",
    "AdminActor",
    "CurrentActor",
    "OnceOnly",
    "OperatorActor",
    "OwnerActor",
    "Role",
    "SystemSession",
    "Team",
    "TeamSession",
    "allows",
    "as_kept",
    "create_team",
    "forgotten",
    "identify",
    "joined_at",
    "masks_numbers",
    "members",
    "on_member_removed",
    "on_team_created",
    "operator_only",
    "operators",
    "register_jobs",
    "require",
    "setup_link",
    "still_here",
    "team",
    "today_began",
    "zone",
    "zone_at",
]
