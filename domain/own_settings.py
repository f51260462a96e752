"""What a member sets in a chat for themselves, which nobody else sees."""

from domain.changes import Change, change
from domain.models import Member


@change("own_settings", logged=False)
class OwnSettingsChanged(Change):
    """`member` has set something else for themselves in the chat."""

    chat_id: int
    member: Member
