"""What the document of a message has for search."""

from domain.models import Message
from domain.search import RULES, file_names_of, index_words
from storage.mongo.database import Document

WORDS_FORMAT = 3
"""The format (`versions`) from which on nodes write words."""


def word_fields(message: Message) -> Document:
    """The words of a message, and by which rules and after which change they were made. A deleted one has none."""
    words: set[str] = set()
    if not message.deleted:
        names = list(file_names_of(message))
        words = index_words(message.content, names, has_file=bool(message.attachments))
    return {"words": sorted(words), "words_of": words_of(message.changed_seq)}


def words_of(changed_seq: int) -> str:
    """What the document of a message says of its words if they are up to date."""
    return f"{RULES}:{changed_seq}"
