"""Sessions: where the caller is logged in."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.frozen import frozen
from domain.models import Session
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import Nothing, SessionsAnswer
from handlers.wire.errors import not_found
from handlers.wire.schemas import AnyText
from handlers.wire.views import session_view

SESSIONS_MAX = 100

SESSIONS_KEPT = 1000
"""How many sessions of a user may work at a time, about."""

SESSION_ID_CHARS_MAX = 64


@frozen
class ListSessions:
    pass


@command("list_sessions", ListSessions, SessionsAnswer, limit="queries", errors=())
async def list_sessions(context: Context, caller: Caller, _params: ListSessions) -> Result:
    """The caller's sessions that work, the newest first, at most 100. The id of a session is in its access
    tokens; by itself it opens nothing."""
    now = context.clock.now()
    sessions = await _working(context, caller.user_id, SESSIONS_MAX)
    connected = {connection.session_id for connection in context.connections.of(caller.user_id)}
    return {
        "sessions": [
            session_view(
                session,
                now
                if session.id == caller.session_id or session.id in connected
                else _used(context, session),
                current=session.id == caller.session_id,
            )
            for session in sessions
        ]
    }


async def end_surplus(context: Context, user_id: int) -> None:
    """To be called after a login: ends the session that was not used for the longest time, if there are too many."""
    sessions = await _working(context, user_id, SESSIONS_KEPT + 1)
    if len(sessions) > SESSIONS_KEPT:
        oldest = min(reversed(sessions), key=lambda session: _used(context, session))
        await context.store.sessions.revoke(oldest.id)


async def _working(context: Context, user_id: int, limit: int) -> Sequence[Session]:
    """The sessions of the user that work, the newest first."""
    policy, now = context.policy, context.clock.now()
    # With such settings the last access token of a session is good for longer than its refresh token.
    longer_s = max(0, policy.access_token_ttl_s - policy.refresh_token_ttl_s)
    return await context.store.sessions.of_user(user_id, now=now - timedelta(seconds=longer_s), limit=limit)


def _used(context: Context, session: Session) -> datetime:
    """When a session was last used, as far as this node knows."""
    uses = (session.created_at, session.last_used_at, context.session_use.last(session.id))
    return max(use for use in uses if use is not None)


@frozen
class EndSession:
    session_id: AnyText


@command("end_session", EndSession, Nothing, limit="changes", people=True, errors=("not_found", "forbidden"))
async def end_session(context: Context, caller: Caller, params: EndSession) -> Result:
    """Ends a session of the caller, which may be the present one, and its connections, as a logout of it does."""
    known = len(params.session_id) <= SESSION_ID_CHARS_MAX
    session = await context.store.sessions.get(params.session_id) if known else None
    if session is None or session.user_id != caller.user_id:
        raise not_found("session")
    # One that has ended is published again where several nodes share the store: the one that ended it may have died.
    await context.store.sessions.revoke(session.id)
    if session.revoked:
        raise not_found("session")
    return {}
