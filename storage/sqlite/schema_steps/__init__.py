"""The steps that lead to the tables of now, in SQL, in a file per noun. See `schema` for what holds for all of them."""

from collections.abc import Sequence

from storage.sqlite.schema_steps.accounts import EPOCH, NAMES, TOKENS
from storage.sqlite.schema_steps.bots import BOTS
from storage.sqlite.schema_steps.files import FILES
from storage.sqlite.schema_steps.first import FIRST, RUNS
from storage.sqlite.schema_steps.hooks import HOOKS
from storage.sqlite.schema_steps.logins import LOGINS
from storage.sqlite.schema_steps.messages import MENTIONS, PINS, REMOVALS, SEARCH
from storage.sqlite.schema_steps.people import PEOPLE, SLOW_MODE

STEPS: Sequence[str] = (
    *(FIRST, RUNS, TOKENS, NAMES, EPOCH, PEOPLE, SLOW_MODE, PINS, MENTIONS, SEARCH, REMOVALS),
    *(FILES, BOTS, HOOKS, LOGINS),
)
