"""The routes of tasks, for the web process alone: no other one pays for their import."""

from offhook.tasks import api, mcp_pages, pages

routers = (api.router, mcp_pages.router, pages.router)

__all__ = ["routers"]
