"""Parameters: what is taken, what is said of the rest, and that documents can read the limits."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from marshmallow import ValidationError, validate

from domain.frozen import frozen
from domain.hooks import HOOK_EVENTS
from handlers.commands import COMMANDS
from handlers.commands.hooks import EventList
from handlers.wire.errors import ChatError
from handlers.wire.schemas import (
    ID_MAX,
    EmojiString,
    Flag,
    Id,
    IdList,
    StrictBoolean,
    StrictField,
    StrictInteger,
    StrictString,
    StrictTime,
    UploadIdList,
    read,
    schema_for,
)

FIELDS = {
    f"{name}.{key}": field for name, one in COMMANDS.items() for key, field in one.schema.parameters.items()
}

VALUES: list[Any] = [
    *(-1, 0, 1, 2, 50, 199, 200, 201, 1000, 1001, ID_MAX, ID_MAX + 1, 10**30, True, False, 1.0, "1"),
    *(
        "",
        "a",
        "ab",
        "abc",
        "x" * 31,
        "x" * 33,
        "x" * 64,
        "x" * 65,
        "x" * 254,
        "x" * 255,
        "#x",
        "x#",
        "\nx",
        "x\n",
    ),
    *("a@b", "a b@c", "@", "group", "text", "owner", "online", "жж", "😀" * 64, "😀" * 65),
    *("\ud800", "😀\ufe0f", "\ufe0f", "❤ ", "❤\n"),
    *(["abc"], ["a/b"], [""], ["abc"] * 10, ["abc"] * 11, ["a" * 64], ["a" * 65]),
    *(["new_message"], ["new_message", "message_updated"], ["new_message", "chat_changed"]),
    *([], [1], [0], [True], ["1"], [1] * 1000, [1] * 1001, [ID_MAX + 1], {}, ()),
]


KINDS: dict[type[StrictField[Any]], type] = {
    StrictInteger: int,
    StrictBoolean: bool,
    StrictString: str,
    EmojiString: str,
    IdList: list,
    UploadIdList: list,
    EventList: list,
}


def is_id(item: Any) -> bool:
    return type(item) is int and 0 < item <= ID_MAX


def is_upload_id(item: Any) -> bool:
    return type(item) is str and re.fullmatch(r"[\w-]{1,64}", item, re.ASCII) is not None


def is_event(item: Any) -> bool:
    return item in HOOK_EVENTS


IS_ITEM: dict[type[StrictField[Any]], Callable[[Any], bool]] = {
    IdList: is_id,
    UploadIdList: is_upload_id,
    EventList: is_event,
}


def taken(field: StrictField[Any], value: Any) -> bool:
    try:
        field.check(value)
    except ValidationError:
        return False
    return True


def outcome(check: Callable[[Any], Any], value: Any) -> Any:
    """What a check returns, or says."""
    try:
        return check(value)
    except ValidationError as error:
        return error.messages


@pytest.mark.parametrize(
    "name", [name for name, field in FIELDS.items() if not isinstance(field, StrictTime)]
)
def test_the_declared_validators_say_what_the_check_does(name: str) -> None:
    field = FIELDS[name]
    kind = KINDS[type(field)]
    for value in VALUES:
        if type(value) is not kind:
            assert not taken(field, value), value
            continue
        try:
            for validator in field.validators:
                validator(value)
            declared = True
        except ValidationError:
            declared = False
        if isinstance(value, str):
            declared = declared and "\ud800" not in value
        if isinstance(value, list):
            declared = declared and all(map(IS_ITEM[type(field)], value))
        assert taken(field, value) == declared, value


@pytest.mark.parametrize(
    ("text", "is_time"),
    [
        ("2025-11-23T10:00:00+00:00", True),
        ("2025-11-23T12:00+02:00", True),
        ("2025-11-23T10:00:00Z", True),
        ("2025-11-23T10:00:00", False),
        ("2025-11-23", False),
        ("2025-13-23T10:00:00Z", False),
        ("0001-01-01T00:00:00+14:00", False),
        ("", False),
    ],
)
def test_a_time_has_an_offset(text: str, is_time: bool) -> None:
    field = StrictTime()
    assert taken(field, text) == is_time
    assert outcome(field.check, text) == outcome(field.deserialize, text)
    if is_time:
        assert field.check(text) == datetime(2025, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize("name", FIELDS)
def test_a_check_says_what_the_schema_says(name: str) -> None:
    """The fast way and `Schema.load`."""
    field = FIELDS[name]
    for value in VALUES:
        assert outcome(field.check, value) == outcome(field.deserialize, value)


@frozen
class Params:
    number: Id
    word: Annotated[str, StrictString(1, 3)] = "abc"
    flag: Flag | None = None


def test_limits_can_be_read() -> None:
    schema = schema_for(Params)
    assert schema.parameters["number"].required
    assert not schema.parameters["word"].required
    (span,) = schema.parameters["number"].validators
    assert isinstance(span, validate.Range)
    assert (span.min, span.max) == (1, ID_MAX)
    (length,) = schema.parameters["word"].validators
    assert isinstance(length, validate.Length)
    assert (length.min, length.max) == (1, 3)


def test_unknown_fields_are_ignored_and_null_is_absent() -> None:
    payload: dict[Any, Any] = {"number": 1, "colour": "red", "word": None, 5: 6}
    schema = schema_for(Params)
    assert read(Params, schema, payload) == Params(1)


def test_every_field_that_is_wrong_is_named() -> None:
    schema = schema_for(Params)
    with pytest.raises(ChatError) as refused:
        read(Params, schema, {"word": "", "flag": 1})
    assert refused.value.fields == {
        "number": "is required",
        "word": "must be 1 to 3 characters",
        "flag": "must be true or false",
    }
    with pytest.raises(ChatError) as refused:
        read(Params, schema, {"number": None})
    assert refused.value.fields == {"number": "is required"}


def test_commands_that_share_a_type_do_not_share_whether_it_is_required() -> None:
    @frozen
    class Optional:
        number: Id | None = None

    assert not schema_for(Optional).parameters["number"].required
    assert schema_for(Params).parameters["number"].required


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (StrictInteger(1), "0", 0),
        (StrictInteger(1), "007", 7),
        (StrictInteger(1), "9" * 20, 10**20 - 1),
        (StrictInteger(1), "9" * 21, None),
        (StrictInteger(1), "-1", None),
        (StrictInteger(1), "", None),
        (StrictInteger(1), "٣", None),
        (StrictInteger(1), " 1", None),
        (StrictBoolean(), "true", True),
        (StrictBoolean(), "false", False),
        (StrictBoolean(), "1", None),
        (StrictString(5, 6), "any", "any"),
        (IdList(2), "", []),
        (IdList(2), "1,2,3", [1, 2, 3]),
        (IdList(2), "1, 2", None),
    ],
)
def test_a_value_in_a_path_or_a_query(field: StrictField[Any], text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(ValidationError):
            field.from_text(text)
    else:
        assert field.from_text(text) == value
        assert type(field.from_text(text)) is type(value)
