"""The routes of notices, for the web process alone: no other one pays for their import."""

from offhook.notices import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
