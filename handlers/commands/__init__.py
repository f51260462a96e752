"""The list of all commands."""

from collections.abc import Mapping
from typing import Any

from handlers.commands import (
    accounts,
    audit,
    bans,
    chats,
    connection,
    members,
    messages,
    presence,
    typing,
    users,
)
from handlers.registry import Command, by_name

COMMANDS: Mapping[str, Command[Any]] = by_name(
    [
        accounts.register,
        accounts.login,
        accounts.refresh,
        accounts.logout,
        users.get_user,
        users.update_me,
        users.list_users,
        chats.create_chat,
        chats.list_chats,
        chats.get_chat,
        chats.rename_chat,
        chats.delete_chat,
        chats.join_chat,
        chats.leave_chat,
        members.list_members,
        members.add_member,
        members.change_member,
        members.remove_member,
        bans.ban_user,
        bans.list_bans,
        bans.unban_user,
        audit.list_audit,
        messages.send_message,
        messages.create_message,
        messages.edit_message,
        messages.delete_message,
        messages.get_message,
        messages.list_messages,
        messages.read_messages,
        typing.typing,
        presence.status,
        connection.ping,
        connection.refresh_token,
    ]
)
