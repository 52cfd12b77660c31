"""The routes of calls, for the web process alone: no other one pays for their import."""

from offhook.calls import api, carrier, pages
from offhook.calls.checking import web as checking
from offhook.calls.joining import api as joining_api
from offhook.calls.joining import bridge
from offhook.calls.latency import api as latency_api
from offhook.calls.latency import pages as latency_pages
from offhook.calls.manners import api as manners_api
from offhook.calls.manners import pages as manners_pages
from offhook.calls.outbound import api as outbound_api
from offhook.calls.outbound import carrier as outbound_carrier
from offhook.calls.outbound import pages as outbound_pages
from offhook.calls.rehearsing import api as rehearsing_api
from offhook.calls.rehearsing import bridge as rehearsing_bridge
from offhook.calls.rehearsing import pages as rehearsing_pages
from offhook.calls.transfers import api as transfers_api
from offhook.calls.transfers import carrier as transfers_carrier
from offhook.calls.transfers import pages as transfers_pages

routers = (
    carrier.router,
    transfers_carrier.router,
    outbound_carrier.router,
    api.router,
    transfers_api.router,
    joining_api.router,
    bridge.router,
    latency_api.router,
    latency_pages.router,
    outbound_api.router,
    pages.router,
    transfers_pages.router,
    manners_api.router,
    manners_pages.router,
    checking.router,
    outbound_pages.router,
    rehearsing_api.router,
    rehearsing_bridge.router,
    rehearsing_pages.router,
)
sections = (*manners_pages.SECTIONS, outbound_pages.SECTION, checking.SECTION)

__all__ = ["routers", "sections"]
