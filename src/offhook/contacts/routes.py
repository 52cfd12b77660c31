"""The routes of contacts, for the web process alone: no other one pays for their import."""

from offhook.contacts import api, import_api, import_pages, pages, settings_api, settings_pages

routers = (
    api.router,
    settings_api.router,
    import_api.router,
    settings_pages.router,
    import_pages.router,
    pages.router,
)

__all__ = ["routers"]
