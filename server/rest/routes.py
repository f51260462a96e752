"""Every REST call: method and path, the command it runs, and its answer."""

from collections.abc import Sequence

from server.rest.calls import NO_CONTENT, Answer, Call

INVITE_CALLS: Sequence[Call] = [
    Call("POST", "/chats/{chat_id}/invites", "create_invite", Answer(201, part="invite")),
    Call("GET", "/chats/{chat_id}/invites", "list_invites"),
    Call("GET", "/invites/{code}", "get_invite", public=True),
    Call("POST", "/invites/{code}/accept", "accept_invite", Answer(part="chat")),
    Call("DELETE", "/invites/{code}", "remove_invite", NO_CONTENT),
    Call("POST", "/admin/invites", "create_server_invite", Answer(201, part="invite")),
    Call("GET", "/admin/invites", "list_server_invites"),
]

PUBLIC_CALLS: Sequence[Call] = [
    Call("GET", "/chats/public", "list_public_chats"),
    Call("POST", "/chats/{chat_id}/join", "join_public_chat", Answer(part="chat")),
]

REACTION_CALLS: Sequence[Call] = [
    Call("POST", "/messages/{message_id}/reactions/{emoji}", "add_reaction", Answer(part="message")),
    Call("DELETE", "/messages/{message_id}/reactions/{emoji}", "remove_reaction", Answer(part="message")),
]

PIN_CALLS: Sequence[Call] = [
    Call("POST", "/messages/{message_id}/pin", "pin_message", Answer(part="message")),
    Call("DELETE", "/messages/{message_id}/pin", "unpin_message", Answer(part="message")),
    Call("GET", "/chats/{chat_id}/pins", "list_pins"),
]

SEARCH_CALLS: Sequence[Call] = [
    Call("GET", "/messages/search", "search_messages"),
]

FILE_CALLS: Sequence[Call] = [
    Call("GET", "/uploads/{upload_id}/urls", "get_upload_urls"),
    Call("DELETE", "/users/me/avatar", "remove_avatar", Answer(part="user")),
    Call("DELETE", "/chats/{chat_id}/avatar", "remove_chat_avatar", Answer(part="chat")),
]
"""What is sent and read is in `server.files`."""

MODERATION_CALLS: Sequence[Call] = [
    Call("POST", "/chats/{chat_id}/bans", "ban_user", Answer(200, part="ban", status_if={"created": 201})),
    Call("GET", "/chats/{chat_id}/bans", "list_bans"),
    Call("DELETE", "/chats/{chat_id}/bans/{user_id}", "unban_user", NO_CONTENT),
    Call("GET", "/chats/{chat_id}/audit", "list_audit"),
]

HOOK_CALLS: Sequence[Call] = [
    Call("POST", "/chats/{chat_id}/hooks", "create_hook", Answer(201, part="hook")),
    Call("GET", "/chats/{chat_id}/hooks", "list_hooks"),
    Call("PATCH", "/hooks/{hook_id}", "change_hook", Answer(part="hook")),
    Call("POST", "/hooks/{hook_id}/key", "renew_hook_key", Answer(part="hook")),
    Call("DELETE", "/hooks/{hook_id}", "remove_hook", NO_CONTENT),
]

ADMIN_CALLS: Sequence[Call] = [
    Call("GET", "/admin/users", "list_all_users"),
    Call("POST", "/admin/users", "create_user", Answer(201)),
    Call("PATCH", "/admin/users/{user_id}", "update_user", Answer(part="user")),
    Call("POST", "/admin/users/{user_id}/password", "reset_password"),
    Call("DELETE", "/admin/users/{user_id}", "delete_user", NO_CONTENT),
    Call("GET", "/admin/stats", "get_stats"),
    Call("GET", "/admin/audit", "list_server_audit"),
    Call("DELETE", "/admin/chats/{chat_id}", "delete_any_chat", NO_CONTENT),
]

OWN_ACCOUNT_CALLS: Sequence[Call] = [
    Call("DELETE", "/users/me", "delete_me", NO_CONTENT, with_body=True),
    Call("POST", "/users/me/delete", "delete_me", NO_CONTENT),
    Call("GET", "/users/me/sessions", "list_sessions"),
    Call("DELETE", "/users/me/sessions/{session_id}", "end_session", NO_CONTENT),
]

OWN_CALLS: Sequence[Call] = [
    Call("PATCH", "/chats/{chat_id}/me", "change_settings", Answer(part="chat")),
    Call("GET", "/users/me/blocks", "list_blocks"),
    Call("PUT", "/users/{user_id}/block", "block_user", NO_CONTENT),
    Call("DELETE", "/users/{user_id}/block", "unblock_user", NO_CONTENT),
]

BOT_CALLS: Sequence[Call] = [
    Call("POST", "/bots", "create_bot", Answer(201)),
    Call("GET", "/bots", "list_bots"),
    Call("PATCH", "/bots/{bot_id}", "change_bot", Answer(part="bot")),
    Call("POST", "/bots/{bot_id}/token", "renew_bot_token"),
    Call("DELETE", "/bots/{bot_id}", "delete_bot", NO_CONTENT),
]

CALLS: Sequence[Call] = [
    Call("POST", "/auth/register", "register", Answer(201, part="user"), public=True),
    Call("POST", "/auth/login", "login", public=True, form=True),
    Call("POST", "/auth/refresh", "refresh", public=True),
    Call("POST", "/auth/logout", "logout", NO_CONTENT),
    Call("GET", "/users/me", "get_user", Answer(part="user"), own=True),
    Call("PATCH", "/users/me", "update_me", Answer(part="user")),
    Call("GET", "/users", "list_users"),
    Call("GET", "/users/{user_id}", "get_user", Answer(part="user")),
    Call("POST", "/chats", "create_chat", Answer(200, part="chat", status_if={"created": 201})),
    Call("GET", "/chats", "list_chats"),
    Call("GET", "/chats/{chat_id}", "get_chat", Answer(part="chat")),
    Call("PATCH", "/chats/{chat_id}", "change_chat", Answer(part="chat")),
    Call("DELETE", "/chats/{chat_id}", "delete_chat", NO_CONTENT),
    Call(
        "POST",
        "/chats/{chat_id}/read",
        "read_messages",
        Answer(only=("unread_count", "unread_mentions", "up_to", "read_seq")),
    ),
    Call("GET", "/chats/{chat_id}/members", "list_members"),
    Call("POST", "/chats/{chat_id}/members", "add_member", Answer(201, part="member")),
    Call("PATCH", "/chats/{chat_id}/members/{user_id}", "change_member", Answer(part="member")),
    Call("DELETE", "/chats/{chat_id}/members/{user_id}", "remove_member", NO_CONTENT),
    Call("GET", "/chats/{chat_id}/messages", "list_messages"),
    Call("POST", "/messages", "create_message", Answer(201, part="message", status_if={"duplicate": 200})),
    Call("GET", "/messages/{message_id}", "get_message", Answer(part="message")),
    Call("GET", "/messages/{message_id}/history", "message_history"),
    Call("PATCH", "/messages/{message_id}", "edit_message", Answer(part="message")),
    Call("PUT", "/messages/{message_id}", "edit_message", Answer(part="message")),
    Call("DELETE", "/messages/{message_id}", "delete_message", NO_CONTENT),
    *REACTION_CALLS,
    *PIN_CALLS,
    *SEARCH_CALLS,
    *FILE_CALLS,
    *MODERATION_CALLS,
    *INVITE_CALLS,
    *PUBLIC_CALLS,
    *OWN_ACCOUNT_CALLS,
    *OWN_CALLS,
    *ADMIN_CALLS,
    *HOOK_CALLS,
    *BOT_CALLS,
]
