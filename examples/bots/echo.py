"""Answers each message of a person with its text: VESTNIK_URL=… VESTNIK_TOKEN=… python echo.py"""

from vestnik_bot import Bot, Message

bot = Bot()


@bot.on_message
async def echo(message: Message) -> None:
    await message.reply(message.content)


if __name__ == "__main__":
    bot.run()
