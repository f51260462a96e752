"""Carries the messages of people between two chats: VESTNIK_CHATS=12,34 python relay.py"""

import os

from vestnik_bot import Bot, Message

bot = Bot()
one, other = map(int, os.environ["VESTNIK_CHATS"].split(","))
PARTNERS = {one: other, other: one}


@bot.on_message
async def carry(message: Message) -> None:
    partner = PARTNERS.get(message.chat_id)
    if partner is not None:
        await message.send(partner, f"{message.sender.display_name}: {message.content}")


if __name__ == "__main__":
    bot.run()
