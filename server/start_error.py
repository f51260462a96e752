"""Why a start failed."""


class StartError(Exception):
    """Why the server could not start, or could not go on, or an account could not be changed, in one line."""
