"""The routes of billing, for the web process alone: no other one pays for their import."""

from offhook.billing import (
    api,
    authentication,
    detail_pages,
    invoice_api,
    invoice_pages,
    pages,
    stripe_events,
)

routers = (
    api.router,
    invoice_api.router,
    invoice_api.operator_router,
    pages.router,
    invoice_pages.router,
    detail_pages.router,
    authentication.router,
    stripe_events.router,
)
banners = invoice_pages.banners

__all__ = ["banners", "routers"]
