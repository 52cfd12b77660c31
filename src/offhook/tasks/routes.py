"""The routes of tasks, for the web process alone: no other one pays for their import."""

from offhook.tasks import api

routers = (api.router,)

__all__ = ["routers"]
