"""The routes of agents, for the web process alone: no other one pays for their import."""

from offhook.agents import api, pages
from offhook.agents.trials import api as trials_api
from offhook.agents.trials import pages as trials_pages

routers = (trials_api.router, trials_pages.router, api.router, pages.router)

__all__ = ["routers"]
