"""The list of all commands."""

from collections.abc import Mapping
from typing import Any

from handlers.commands import (
    accounts,
    audit,
    chats,
    connection,
    invites,
    members,
    messages,
    presence,
    public_chats,
    sessions,
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
        users.delete_me,
        sessions.list_sessions,
        sessions.end_session,
        users.list_users,
        chats.create_chat,
        chats.list_chats,
        chats.get_chat,
        public_chats.list_public_chats,
        public_chats.join_public_chat,
        invites.create_invite,
        invites.list_invites,
        invites.get_invite,
        invites.accept_invite,
        invites.remove_invite,
        invites.create_server_invite,
        invites.list_server_invites,
        chats.change_chat,
        chats.delete_chat,
        chats.join_chat,
        chats.leave_chat,
        members.list_members,
        members.add_member,
        members.set_role,
        members.remove_member,
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
