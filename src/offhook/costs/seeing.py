"""Who sees what a conversation cost.

What vendors charge is the operator's business: beside the price it would show the margin. Where
billing is off there is no price but the cost itself, so the team's admins see it too.
"""

from typing import cast

from starlette.requests import Request

from offhook.errors import Forbidden
from offhook.settings import Settings
from offhook.teams import Actor


class CostsHidden(Forbidden):
    code = "operator_only"


def may_see(request: Request, actor: Actor) -> bool:
    settings = cast("Settings", request.app.state.settings)
    return actor.is_operator or (actor.is_admin and not settings.billing)


def check_may_see(request: Request, actor: Actor) -> None:
    """Raises CostsHidden."""
    if not may_see(request, actor):
        raise CostsHidden(
            "What vendors charge is shown to operators only.",
            remedy="See what the conversation was charged instead.",
        )
