"""What the parts of the application find each other by."""

from aiohttp import web

from handlers.house import House
from server.config import Config
from server.doors import Doors
from server.engine import AsyncServer

CONFIG = web.AppKey("config", Config)
DOORS = web.AppKey("doors", Doors)
SIO = web.AppKey("sio", AsyncServer)
HOUSE = web.AppKey("house", House)
