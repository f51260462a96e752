import asyncio
from datetime import datetime

import pytest

from domain.changes import SessionsRevoked, UserChanged
from domain.models import PresenceChoice, User
from domain.refusals import Duplicate, NotFound
from tests.storage.world import START, World, at


async def test_a_user_is_kept_as_created(world: World) -> None:
    user = await world.store.users.create(
        username="Ivan.P",
        display_name="Иван",
        email="Ivan@Example.org",
        password_hash="$2b$",
        created_at=START,
        is_bot=True,
    )
    assert user == User(
        user.id, "Ivan.P", "Иван", "Ivan@Example.org", "$2b$", START, last_seen_at=None, is_bot=True
    )
    assert await world.store.users.get(user.id) == user
    assert 0 < user.id < 2**53
    assert world.published == []


async def test_usernames_and_emails_are_unique_without_case(world: World) -> None:
    await world.user("Straße", email="A@b.c")
    with pytest.raises(Duplicate) as username:
        await world.user("STRASSE", email="other@b.c")
    with pytest.raises(Duplicate) as email:
        await world.user("other", email="a@B.C")
    assert (username.value.field, email.value.field) == ("username", "email")
    await world.user("third")
    await world.user("fourth")  # any number of users without an email


@pytest.mark.parametrize("username", ["all", "ALL", "aLL"])
async def test_nobody_is_called_all(world: World, username: str) -> None:
    with pytest.raises(Duplicate) as refused:
        await world.user(username)
    assert refused.value.field == "username"
    await world.user("all1")


async def test_one_of_many_at_once_gets_the_username(world: World) -> None:
    results = await asyncio.gather(*(world.user("anna") for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(result, int) for result in results) == 1
    assert sum(isinstance(result, Duplicate) for result in results) == 49


async def test_get_many_gives_those_that_exist(world: World) -> None:
    first, second = await world.users(2)
    found = await world.store.users.get_many([second, 999, first])
    assert {user_id: user.id for user_id, user in found.items()} == {first: first, second: second}
    assert await world.store.users.get_many([]) == {}
    assert await world.store.users.get(999) is None


@pytest.mark.parametrize("login", ["Anna", "ANNA", "anna", "Anna@Mail.ru", "anna@mail.RU"])
async def test_find_by_username_or_email(world: World, login: str) -> None:
    anna = await world.user("Anna", email="Anna@mail.ru")
    await world.user("annabel")
    user = await world.store.users.find(login)
    assert user is not None
    assert user.id == anna


async def test_find_nobody(world: World) -> None:
    await world.user("anna")
    assert await world.store.users.find("ann") is None
    assert await world.store.users.find("") is None


async def test_search_is_by_prefix_of_username_or_display_name(world: World) -> None:
    first = await world.user("Anna", display_name="Ivanova")
    second = await world.user("boris", display_name="ANNUSHKA")
    third = await world.user("hannah", display_name="100%_")

    async def found(prefix: str, after_id: int = 0, limit: int = 10) -> list[int]:
        return [user.id for user in await world.store.users.search(prefix, after_id=after_id, limit=limit)]

    assert await found("ann") == [first, second]
    assert await found("ANN") == [first, second]
    assert await found("ann", after_id=first) == [second]
    assert await found("ann", limit=1) == [first]
    assert await found("100%") == [third]
    assert await found("%") == []
    assert await found("") == [first, second, third]
    assert await found("", after_id=first, limit=1) == [second]
    assert await found("", after_id=third) == []


COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (COMPOSED, DECOMPOSED),
        (DECOMPOSED, COMPOSED.upper()),
        ("\uff21\uff4e\uff4e\uff41", "anna"),
        ("ﬁn", "FIN"),
    ],
)
async def test_forms_of_a_name_are_one_name(world: World, first: str, second: str) -> None:
    """At registration, at login and in the search."""
    user_id = await world.user(first, display_name=f"{second} K")
    with pytest.raises(Duplicate) as taken:
        await world.user(second)
    assert taken.value.field == "username"
    other = await world.user("other", display_name=first)
    for form in (first, second, first.upper(), second.lower()):
        found = await world.store.users.find(form)
        assert found is not None
        assert (found.id, found.username) == (user_id, first)
        for asked in (form, form[:-1] if form[-1] != "\u0301" else form[:-2]):
            page = await world.store.users.search(asked, after_id=0, limit=9)
            assert [user.id for user in page] == [user_id, other]
    await world.store.users.rename(other, f"x{second}")
    assert [user.id for user in await world.store.users.search(f"X{first}", after_id=0, limit=9)] == [other]
    await world.store.users.delete(other)  # whose display name is the username from then on


async def test_one_of_many_at_once_gets_the_username_whatever_its_form(world: World) -> None:
    forms = [COMPOSED, DECOMPOSED, COMPOSED.upper(), DECOMPOSED.upper()] * 10
    results = await asyncio.gather(*map(world.user, forms), return_exceptions=True)
    assert sum(isinstance(result, int) for result in results) == 1
    assert sum(isinstance(result, Duplicate) for result in results) == 39


async def test_email_addresses_only_fold_case(world: World) -> None:
    first = await world.user(email=f"{COMPOSED}@mail.ru")
    second = await world.user(email=f"{DECOMPOSED}@mail.ru")
    for email, user_id in ((COMPOSED, first), (DECOMPOSED, second), (DECOMPOSED.upper(), second)):
        found = await world.store.users.find(f"{email}@MAIL.ru")
        assert found is not None
        assert found.id == user_id
    with pytest.raises(Duplicate) as taken:
        await world.user(email=f"{DECOMPOSED.upper()}@mail.ru")
    assert taken.value.field == "email"


async def test_users_who_are_not_active_are_not_in_the_search(world: World) -> None:
    anna, banned, deleted = [await world.user(f"anna{number}") for number in range(3)]
    await world.store.users.set_banned(banned, True)
    await world.store.users.delete(deleted)
    for prefix in ("anna", "ANNA1", "some", ""):
        found = await world.store.users.search(prefix, after_id=0, limit=9)
        assert [user.id for user in found] == ([anna] if prefix != "ANNA1" else [])
    assert [user.id for user in await world.store.users.search("", after_id=anna, limit=9)] == []
    assert (await world.store.users.find("anna1")) is not None  # the operator names them
    await world.store.users.set_banned(banned, False)
    assert [user.id for user in await world.store.users.search("anna1", after_id=0, limit=9)] == [banned]


async def test_that_anybody_was_ever_here_is_known(world: World) -> None:
    assert not await world.store.users.exist()
    user_id = await world.user()
    await world.store.users.delete(user_id)
    assert await world.store.users.search("", after_id=0, limit=1) == []
    assert await world.store.users.exist()


async def test_rename_is_published_once(world: World) -> None:
    user_id = await world.user(display_name="Old")
    assert (await world.store.users.rename(user_id, "New")).display_name == "New"
    assert (await world.store.users.rename(user_id, "New")).display_name == "New"
    (published,) = world.published
    assert published == UserChanged(await world.store.users.get(user_id))
    assert [user.id for user in await world.store.users.search("new", after_id=0, limit=5)] == [user_id]
    assert await world.store.users.search("old", after_id=0, limit=5) == []
    with pytest.raises(NotFound):
        await world.store.users.rename(999, "New")


async def test_a_new_password_ends_every_other_session(world: World) -> None:
    user_id, other = await world.users(2)
    for session_id, owner in (("a", user_id), ("b", user_id), ("c", user_id), ("d", other)):
        await world.store.sessions.create(
            session_id=session_id, user_id=owner, token_hash=session_id, expires_at=at(60), created_at=START
        )
    await world.store.sessions.revoke("c")
    world.published.clear()
    await world.store.users.change_password(user_id, "new hash", keep_session="a")
    user = await world.store.users.get(user_id)
    assert world.published == [UserChanged(user), SessionsRevoked(user_id, ["b"])]
    await world.store.users.change_password(user_id, "newer hash", keep_session=None)
    user = await world.store.users.get(user_id)
    assert user is not None
    assert user.password_hash == "newer hash"
    assert world.published[2:] == [UserChanged(user), SessionsRevoked(user_id, ["a"])]
    sessions = [await world.store.sessions.get(session_id) for session_id in "abcd"]
    assert [session.revoked for session in sessions if session] == [True, True, True, False]
    with pytest.raises(NotFound):
        await world.store.users.change_password(999, "hash", keep_session=None)


async def test_a_renewed_hash_replaces_the_one_it_was_made_from_and_ends_no_session(world: World) -> None:
    user_id = await world.user()
    await world.store.sessions.create(
        session_id="a", user_id=user_id, token_hash="hash a", expires_at=at(60), created_at=START
    )
    await world.store.users.change_password(user_id, "old", keep_session="a")
    world.published.clear()
    await world.store.users.renew_hash(user_id, "another", "new")
    await world.store.users.renew_hash(999, "old", "new")
    assert world.published == []
    await world.store.users.renew_hash(user_id, "old", "new")
    user = await world.store.users.get(user_id)
    assert user is not None
    assert user.password_hash == "new"
    assert world.published == [UserChanged(user)]


async def test_the_costliest_hash(world: World) -> None:
    assert await world.store.users.costliest_hash() == ""
    for number, cost in enumerate(("$2b$04$x", "$2b$12$a", "$2b$10$z")):
        user_id = await world.user(f"user{number}")
        await world.store.users.change_password(user_id, cost, keep_session=None)
    assert await world.store.users.costliest_hash() == "$2b$12$a"


async def test_last_seen_never_moves_back(world: World) -> None:
    user_id = await world.user()
    for seconds in (5, 9, 7, 9):
        await world.store.users.seen(user_id, at(seconds))
    await world.store.users.seen(999, at(1))
    user = await world.store.users.get(user_id)
    assert user is not None
    assert user.last_seen_at == at(9)
    assert [change.user.last_seen_at for change in world.published] == [at(5), at(9)]
    assert await world.store.users.get(999) is None


async def test_a_ban_is_published_and_ends_every_session_and_lifting_it_brings_none_back(
    world: World,
) -> None:
    user_id = await world.user("anna", email="anna@mail.ru")
    for name in ("a", "b"):
        await world.store.sessions.create(
            session_id=name, user_id=user_id, token_hash=f"hash {name}", expires_at=at(60), created_at=START
        )
    world.published.clear()
    user = await world.store.users.set_banned(user_id, True)
    assert user.banned
    assert world.published == [UserChanged(user), SessionsRevoked(user_id, ["a", "b"])]
    assert await world.store.users.get(user_id) == await world.store.users.find("anna") == user
    await world.store.users.set_banned(user_id, True)
    repeated = world.published[2:]  # on a shared store others may not know it, and then it is published again
    assert [one for one in repeated if one != UserChanged(user) and type(one) is not SessionsRevoked] == []
    world.published.clear()
    freed = await world.store.users.set_banned(user_id, False)
    assert not freed.banned
    assert world.published == [UserChanged(freed)]
    for name in ("a", "b"):
        session = await world.store.sessions.get(name)
        assert session is not None
        assert session.revoked


async def test_a_deleted_user_is_known_but_not_found_and_his_email_is_free(world: World) -> None:
    user_id = await world.user("Anna", email="anna@mail.ru", display_name="Anna K.")
    await world.store.sessions.create(
        session_id="a", user_id=user_id, token_hash="hash a", expires_at=at(60), created_at=START
    )
    world.published.clear()
    user = await world.store.users.delete(user_id)
    assert (user.deleted, user.email, user.password_hash, user.display_name) == (True, None, "", "Anna")
    assert set(map(type, world.published)) == {UserChanged, SessionsRevoked}
    assert UserChanged(user) in world.published
    assert await world.store.users.get(user_id) == user
    assert await world.store.users.find("anna") is None
    assert await world.store.users.find("anna@mail.ru") is None
    assert await world.store.users.search("anna", after_id=0, limit=10) == []
    with pytest.raises(Duplicate):
        await world.user("anna")
    other = await world.user("other", email="anna@mail.ru")
    assert await world.store.users.get(other) is not None
    for again in (world.store.users.delete(user_id), world.store.users.set_banned(user_id, True)):
        with pytest.raises(NotFound):
            await again


async def test_nobody_can_be_neither_banned_nor_deleted(world: World) -> None:
    for deed in (world.store.users.set_banned(99, True), world.store.users.delete(99)):
        with pytest.raises(NotFound):
            await deed
    assert world.published == []


async def test_what_others_see_is_chosen_and_kept(world: World) -> None:
    user_id = await world.user()
    before = await world.store.users.get(user_id)
    assert before is not None
    assert before.presence == "auto"
    choices: tuple[PresenceChoice, ...] = ("offline", "away", "busy", "auto")
    for presence in choices:
        user = await world.store.users.set_presence(user_id, presence)
        assert user.presence == presence
        assert await world.store.users.get(user_id) == user
        (published,) = world.published
        assert isinstance(published, UserChanged)
        assert (published.user, published.shown, published.own) == (user, False, True)
        world.published.clear()
        assert await world.store.users.set_presence(user_id, presence) == user
        # The repeat is published again on a shared store: others may not know it.
        repeated = [(one.user, one.own) for one in world.published if isinstance(one, UserChanged)]
        assert repeated in ([], [(user, False)])
        world.published.clear()


async def test_presence_of_nobody_and_of_the_deleted_and_banned(world: World) -> None:
    deleted, banned = await world.users(2)
    await world.store.users.delete(deleted)
    await world.store.users.set_banned(banned, True)
    for nobody in (deleted, 999):
        with pytest.raises(NotFound):
            await world.store.users.set_presence(nobody, "away")
    assert (await world.store.users.set_presence(banned, "away")).presence == "away"
    assert (await world.store.users.set_banned(banned, False)).presence == "away"


async def test_who_has_chosen_to_be_offline_is_not_noted_as_seen(world: World) -> None:
    users, user_id = world.store.users, await world.user()

    async def last_seen() -> datetime | None:
        user = await users.get(user_id)
        assert user is not None
        return user.last_seen_at

    await users.seen(user_id, at(1))
    await users.set_presence(user_id, "offline")
    world.published.clear()
    await users.seen(user_id, at(2))
    assert (await last_seen(), world.published) == (at(1), [])
    await users.set_presence(user_id, "busy")
    await users.seen(user_id, at(3))
    assert await last_seen() == at(3)
    await users.set_presence(user_id, "auto")
    await users.seen(user_id, at(4))
    assert await last_seen() == at(4)


async def test_presence_is_chosen_while_all_else_of_an_account_changes(world: World) -> None:
    users, user_id = world.store.users, await world.user()
    choices: tuple[PresenceChoice, ...] = ("offline", "away", "busy")
    for presence in choices:
        await asyncio.gather(
            users.set_presence(user_id, "auto"),
            users.rename(user_id, f"Name {presence}"),
            users.set_presence(user_id, presence),
            users.seen(user_id, at(5)),
            users.change_password(user_id, f"hash {presence}", keep_session=None),
        )
        user = await users.get(user_id)
        assert user is not None
        assert (user.presence, user.display_name) == (presence, f"Name {presence}")
        assert user.password_hash == f"hash {presence}"
        assert [one.user for one in world.published if isinstance(one, UserChanged)][-1] == user
