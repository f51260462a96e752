"""Where a bot begins that was never started before."""

from vestnik_bot.cursor import Position
from vestnik_bot.rest import Rest


async def first_positions(rest: Rest, *, answers_old: bool) -> dict[int, Position]:
    """A position for each chat of the bot, by chat id. To be taken before the bot is seen online for the first time."""
    positions = {}
    async for chat in rest.chats():
        seq = chat["read_seq" if answers_old else "seq"]
        last = chat["last_message"]
        positions[chat["id"]] = Position("", seq, last["created_at"] if last else chat["created_at"])
    return positions
