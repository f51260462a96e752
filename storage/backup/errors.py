"""What is wrong with a backup."""

from storage.errors import StorageError


class BadBackup(StorageError):
    """The file is no whole backup that this version can read. The text goes on after the name of the file, and names
    no content."""
