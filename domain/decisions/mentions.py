"""Whom a message mentions."""

from collections.abc import Sequence

from domain.decisions.view import MessageView
from domain.mentions import ALL, MENTIONS_MAX, mentioned
from domain.models import Actor
from domain.permissions import may_mention_all

Mentions = tuple[Sequence[int], bool]
"""The users whom a message mentions, and whether it mentions all."""

NOBODY: Mentions = ((), False)


def mentions_of(view: MessageView, chat_id: int, author: Actor, content: str) -> Mentions:
    """Whom a content mentions: members by their usernames, each once, in the order of the content, but for its author;
    and all members, if the author may do that."""
    found = mentioned(content)
    if not found:
        return NOBODY
    members = view.members_named(chat_id, {name for names in found for name in names if name != ALL})
    user_ids: dict[int, None] = {}
    names_all = False
    for names in found:
        name = next((one for one in names if one == ALL or one in members), None)
        if name == ALL:
            names_all = True
        elif name is not None and members[name] != author.user_id:
            user_ids[members[name]] = None
    is_all = names_all and may_mention_all(author, view.member_count(chat_id))
    return tuple(user_ids)[:MENTIONS_MAX], is_all
