"""What members set in a chat for themselves."""

from dataclasses import replace

from domain.decisions.view import SettingsView
from domain.frozen import frozen
from domain.models import Member, Notifications
from domain.own_settings import OwnSettingsChanged
from domain.refusals import NotFound


@frozen
class SettingsRequest:
    """What to change; None leaves a setting as it is."""

    notifications: Notifications | None = None
    favorite: bool | None = None
    hidden: bool | None = None
    marked_unread: bool | None = None


def change_settings(
    view: SettingsView, chat_id: int, user_id: int, request: SettingsRequest
) -> OwnSettingsChanged | Member:
    """The member with other settings; as they are if they have these. A chat is hidden until a message after the
    present head. Raises: `NotFound` if the user is not a member."""
    member = view.member(chat_id, user_id)
    if member is None:
        raise NotFound(f"chat {chat_id}")
    settings = member.settings
    hidden_seq = settings.hidden_seq
    if request.hidden is not None and request.hidden != settings.hidden:
        hidden_seq = view.head_seq(chat_id) if request.hidden else None
    wanted = replace(
        settings,
        notifications=settings.notifications if request.notifications is None else request.notifications,
        favorite=settings.favorite if request.favorite is None else request.favorite,
        hidden_seq=hidden_seq,
        marked_unread=settings.marked_unread if request.marked_unread is None else request.marked_unread,
    )
    return member if wanted == settings else OwnSettingsChanged(chat_id, replace(member, settings=wanted))


def after_read(chat_id: int, member: Member) -> OwnSettingsChanged | None:
    """What a read changes besides the mark: the chat is no longer marked as unread. None if it was not."""
    if not member.settings.marked_unread:
        return None
    return OwnSettingsChanged(
        chat_id, replace(member, settings=replace(member.settings, marked_unread=False))
    )
