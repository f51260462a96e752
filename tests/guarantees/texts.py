"""Contents of messages whose mentions and words are known, and queries whose answers follow from them.

Nothing here asks the code of the server: a content is a list of tokens, and tables say what each of them means.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.pictures.made import png

MENTIONS: Mapping[str, str | None] = {
    "@ann": "ann",
    "@bob": "bob",
    "@BOB,": "bob",
    "@cid.": "cid",
    "@all": "all",
    "(@All)": "all",
    "`@bob`": None,
    "x@cid": None,
    "@nobody": None,
}
"""Tokens with a `@`, and whom they mention."""

WORDS: Mapping[str, str] = {
    "alpha": "alpha",
    "Alpha!": "alpha",
    "Ёлка": "елка",
    "елка": "елка",
    "été": "ete",
    "ETE": "ete",
    "край": "край",
    "日本": "日本",
    "x_1": "x_1",
    "zebra": "zebra",
    "https://example.org/": "https example org",
}
"""Tokens, and the words that a search finds them by."""

LINK = "https://example.org/"

SINGLE_WORDS = [token for token, words in WORDS.items() if " " not in words]


@dataclass(frozen=True)
class Query:
    """What a search asks for: `params` are those of the request."""

    tokens: Sequence[str] = ()
    phrase: bool = False
    link: bool = False

    @property
    def params(self) -> dict[str, str]:
        text = " ".join(self.tokens)
        params = {"q": f'"{text}"' if self.phrase else text} if self.tokens else {}
        return params | ({"has": "link"} if self.link else {})

    def finds(self, content: str) -> bool:
        if self.link and LINK not in content:
            return False
        there = words_of(content)
        wanted = [WORDS[token] for token in self.tokens]
        if self.phrase:
            size = len(wanted)
            return any(there[start : start + size] == wanted for start in range(len(there)))
        return set(wanted) <= set(there)


def words_of(content: str) -> list[str]:
    """The words of a content; what is no token of `WORDS` stands for itself."""
    return [word for token in content.split(" ") for word in WORDS.get(token, token).split(" ")]


def new_content(script: random.Random, number: int) -> str:
    """A content that no other message has: the number is in it."""
    tokens = [*script.sample(list(WORDS), script.randint(0, 4)), f"n{number}"]
    tokens += script.choices(list(MENTIONS), k=script.choice((0, 0, 1, 2)))
    script.shuffle(tokens)
    return " ".join(tokens)


def new_file(script: random.Random) -> bytes:
    """A picture now and then, else a few bytes."""
    return png() if script.random() < 0.2 else script.randbytes(script.randint(1, 2000))


def new_query(script: random.Random) -> Query:
    kind = script.random()
    if kind < 0.15:
        return Query(script.sample(SINGLE_WORDS, script.randint(0, 1)), link=True)
    if kind < 0.3:
        return Query(script.sample(SINGLE_WORDS, 2), phrase=True)
    return Query(script.sample(SINGLE_WORDS, 1 if kind < 0.8 else 2), phrase=kind < 0.4)


def mentions_of(
    message: Mapping[str, Any], members: Mapping[str, int], *, is_group: bool
) -> tuple[list[int], bool]:
    """Whom a message mentions, and whether it mentions all, given the members of its chat."""
    named = [MENTIONS[token] for token in message["content"].split(" ") if token in MENTIONS]
    user_ids = [members[name] for name in dict.fromkeys(named) if name is not None and name in members]
    return [one for one in user_ids if one != message["sender_id"]], is_group and "all" in named
