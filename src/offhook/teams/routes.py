"""The routes of teams, for the web process alone: no other one pays for their import."""

from offhook.teams import api, forgotten_pages, log_api, log_pages, pages

routers = (
    api.router,
    log_api.router,
    pages.router,
    forgotten_pages.router,
    log_pages.router,
)

__all__ = ["routers"]
