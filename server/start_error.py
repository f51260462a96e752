"""Why a start failed."""


class StartError(Exception):
    """Why the server could not start, or an account could not be changed, in one line."""
