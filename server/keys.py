"""What the parts of the application find each other by."""

from aiohttp import web

from handlers.chat_app import ChatApp
from server.answers import OnePerTurn, Unsent
from server.config import Config
from server.engine import AsyncServer
from server.origins import OriginPolicy
from server.requests import Requests

CONFIG = web.AppKey("config", Config)
ORIGINS = web.AppKey("origins", OriginPolicy)
SIO = web.AppKey("sio", AsyncServer)
REQUESTS = web.AppKey("requests", Requests)
PAGES = web.AppKey("pages", OnePerTurn)
UNSENT = web.AppKey("unsent", Unsent)
CHAT_APP = web.AppKey("chat_app", ChatApp)
