"""The routes of knowledge, for the web process alone: no other one pays for their import."""

from offhook.knowledge import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
