"""The routes of agents, for the web process alone: no other one pays for their import."""

from offhook.agents import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
