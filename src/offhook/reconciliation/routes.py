"""The routes of reconciliation, for the web process alone: no other one pays for their import."""

from offhook.reconciliation import api, operator_api, operator_pages, pages

routers = (api.router, operator_api.router, pages.router, operator_pages.router)

__all__ = ["routers"]
