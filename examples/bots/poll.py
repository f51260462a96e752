"""/poll Lunch? Soup, Pizza: people vote by reactions; /count in reply to the poll says how it stands."""

from vestnik_bot import Bot, Message

bot = Bot()
EMOJI = "🍏🍌🍇🍓🥝🍒🥥🍍🥭🍑"


@bot.command("/poll")
async def ask(message: Message) -> None:
    question, mark, rest = message.arguments.partition("?")
    choices = [choice.strip() for choice in rest.split(",") if choice.strip()][: len(EMOJI)]
    if not mark or not choices:
        await message.reply("Usage: /poll QUESTION? ONE, OTHER")
        return
    lines = [f"{emoji} {choice}" for emoji, choice in zip(EMOJI, choices, strict=False)]
    poll = await message.reply("\n".join([f"{question}?", *lines]))
    for emoji in EMOJI[: len(choices)]:
        if poll is not None:
            await poll.react(emoji)


@bot.command("/count")
async def count(message: Message) -> None:
    poll = await bot.api("GET", f"/messages/{message.reply_to}") if message.reply_to else None
    if poll is None or poll["sender_id"] != bot.me.id:
        await message.reply("Say /count in reply to a poll")
        return
    question, *lines = poll["content"].splitlines()
    votes = {emoji: len(set(users) - {bot.me.id}) for emoji, users in poll["reactions"].items()}
    await message.reply("\n".join([question, *(f"{line}: {votes.get(line[0], 0)}" for line in lines)]))


if __name__ == "__main__":
    bot.run()
