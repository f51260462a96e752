"""Bots for the chat server Vestnik that answer every message, once, however often they are restarted."""

from vestnik_bot.bot import Bot
from vestnik_bot.errors import Ended, Refused
from vestnik_bot.messages import Message, User

__all__ = ["Bot", "Ended", "Message", "Refused", "User"]
