"""Keys under which parts of the application, and of a request, are found."""

from aiohttp import web

from handlers.chat_app import ChatApp, Claims
from server.config import Config
from server.engine import AsyncServer
from server.http_counts import HttpCounts
from server.large_answers import OnePerTurn, Unsent
from server.nodes.bus_service import BusService
from server.nodes.node import Node
from server.origins import OriginPolicy
from server.request_slots import RequestSlots, Slot

CONFIG = web.AppKey("config", Config)
ORIGINS = web.AppKey("origins", OriginPolicy)
SIO = web.AppKey("sio", AsyncServer)
REQUESTS = web.AppKey("requests", RequestSlots)
PAGES = web.AppKey("pages", OnePerTurn)
UNSENT = web.AppKey("unsent", Unsent)
FILES_UNSENT = web.AppKey("files_unsent", Unsent)
"""Apart from other answers: pieces of files, of which hundreds may be on their way to slow clients."""

HTTP_COUNTS = web.AppKey("http_counts", HttpCounts)
CHAT_APP = web.AppKey("chat_app", ChatApp)
NODE = web.AppKey("node", Node)
"""Absent on a store that no other node can share."""

BUS = web.AppKey("bus", BusService)
"""Absent without `REDIS_URL`."""

CLAIMS = web.RequestKey("claims", Claims)
"""What the good token of a request says; absent if it has none. See `server.pacing`."""

LINGERS = web.RequestKey("lingers", bool)
"""Present in a request whose body may be large, and whose sender has to see the answer though they are still sending:
see `server.middlewares`."""

SLOT = web.RequestKey("slot", Slot)
"""The `Slot` of a REST request, which is released when the answer has been sent."""
