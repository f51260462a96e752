"""The list of all commands."""

from collections.abc import Mapping
from typing import Any

from handlers.commands import (
    accounts,
    blocks,
    chats,
    connection,
    members,
    messages,
    own_settings,
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
        blocks.block_user,
        blocks.unblock_user,
        blocks.list_blocks,
        chats.create_chat,
        chats.list_chats,
        chats.get_chat,
        chats.rename_chat,
        chats.delete_chat,
        chats.join_chat,
        chats.leave_chat,
        own_settings.change_settings,
        members.list_members,
        members.add_member,
        members.set_role,
        members.remove_member,
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
