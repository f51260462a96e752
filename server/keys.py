"""What the parts of the application find each other by."""

from aiohttp import web

from handlers.chat_app import House
from server.answers import OnePerTurn, Unsent
from server.config import Config
from server.engine import AsyncServer
from server.origins import Doors
from server.requests import Requests

CONFIG = web.AppKey("config", Config)
DOORS = web.AppKey("doors", Doors)
SIO = web.AppKey("sio", AsyncServer)
REQUESTS = web.AppKey("requests", Requests)
PAGES = web.AppKey("pages", OnePerTurn)
UNSENT = web.AppKey("unsent", Unsent)
HOUSE = web.AppKey("house", House)
