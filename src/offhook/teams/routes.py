"""The routes of teams, for the web process alone: no other one pays for their import."""

from offhook.teams import api, forgotten_pages, pages

routers = (api.router, pages.router, forgotten_pages.router)

__all__ = ["routers"]
