"""Thinks aloud: the answer grows in the chat while a model writes it. Put your model in place of the fake one."""

import asyncio
import os
from collections.abc import AsyncIterator

from vestnik_bot import Bot, Message

bot = Bot()
WORD_S = float(os.environ.get("WORD_S", "0.1"))


async def fake_model(prompt: str) -> AsyncIterator[str]:
    """Yields pieces of text as the interfaces of language models do."""
    for word in f"You said “{prompt}”. I have thought about it, and I agree.".split(" "):
        yield word + " "
        await asyncio.sleep(WORD_S)


@bot.on_message
async def answer(message: Message) -> None:
    await message.reply_stream(fake_model(message.content))


if __name__ == "__main__":
    bot.run()
