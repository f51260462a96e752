"""Keys under which parts of the application, and of a request, are found."""

from aiohttp import web

from handlers.chat_app import ChatApp, Claims
from server.answers import OnePerTurn, Unsent
from server.config import Config
from server.engine import AsyncServer
from server.origins import OriginPolicy
from server.requests import Requests, Turn

CONFIG = web.AppKey("config", Config)
ORIGINS = web.AppKey("origins", OriginPolicy)
SIO = web.AppKey("sio", AsyncServer)
REQUESTS = web.AppKey("requests", Requests)
PAGES = web.AppKey("pages", OnePerTurn)
UNSENT = web.AppKey("unsent", Unsent)
CHAT_APP = web.AppKey("chat_app", ChatApp)

CLAIMS = web.RequestKey("claims", Claims)
"""What the good token of a request says; absent if it has none. See `server.pacing`."""

TURN = web.RequestKey("turn", Turn)
"""The `Turn` of a REST request, which is over when its answer has been sent."""
