"""The routes of usage, for the web process alone: no other one pays for their import."""

from offhook.usage import api, entry_pages, pages, spend_api, spend_pages

routers = (
    api.router,
    spend_api.router,
    pages.router,
    entry_pages.router,
    spend_pages.router,
)
banners = spend_pages.banners

__all__ = ["banners", "routers"]
