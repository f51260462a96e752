"""/remind 90 tea: says "tea" after 90 seconds, also if it is restarted meanwhile."""

import asyncio
import sqlite3
import time
from contextlib import suppress

from vestnik_bot import Bot, Message, Refused

bot = Bot()
notes = sqlite3.connect("reminders.db", isolation_level=None)
notes.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, chat INTEGER, due REAL, text TEXT)")


@bot.command("/remind")
async def remind(message: Message) -> None:
    seconds, _, text = message.arguments.partition(" ")
    if not seconds.isdecimal() or not text:
        await message.reply("Usage: /remind SECONDS TEXT")
        return
    # The id of the message makes a repeat after a kill harmless, here and in `client_id` below.
    row = (message.id, message.chat_id, time.time() + int(seconds), text)
    notes.execute("INSERT OR IGNORE INTO notes VALUES (?, ?, ?, ?)", row)
    await message.reply(f"In {seconds} s: {text}")


@bot.on_start
async def watch() -> None:
    while True:
        due = notes.execute("SELECT id, chat, text FROM notes WHERE due <= ?", (time.time(),)).fetchall()
        for note_id, chat_id, text in due:
            with suppress(Refused):  # the bot may have left the chat
                await bot.send(chat_id, f"Reminder: {text}", client_id=f"remind-{note_id}")
            notes.execute("DELETE FROM notes WHERE id = ?", (note_id,))
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    bot.run()
