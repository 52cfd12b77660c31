"""The routes of vendors' costs, for the web process alone: no other one pays for their import."""

from offhook.costs import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
