"""Why a request is refused, as exceptions: the gates say what each one is called on the wire."""


class Forbidden(Exception):
    """The caller knows of what they ask for, but may not do this with it. The text says why, in English for people."""
