"""The routes of tasks, for the web process alone: no other one pays for their import."""

from offhook.tasks import api, pages

routers = (api.router, pages.router)

__all__ = ["routers"]
