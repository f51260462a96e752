"""FileLinks to files: how long they are good, and for what."""

import pytest

from handlers.wire.file_links import GOOD_S, STEP_S, FileLinks
from tests.clients.links import parted


class Scene:
    def __init__(self, key: bytes = b"key") -> None:
        self.now_s = 1_000_000 * STEP_S + 100.0
        self.links = FileLinks(key, lambda: self.now_s)

    def is_good(self, link: str) -> bool:
        return self.links.is_good(*parted(link))


def test_a_link_is_the_same_for_some_hours_on_all_nodes() -> None:
    scene, other = Scene(), Scene()
    link = scene.links.upload("abc")
    scene.now_s += STEP_S - 200
    assert scene.links.upload("abc") == link == other.links.upload("abc")
    scene.now_s += 200
    assert scene.links.upload("abc") != link
    assert other.is_good(scene.links.upload("abc"))


@pytest.mark.parametrize("into_step_s", [0, 1, STEP_S / 2, STEP_S - 1])
def test_a_link_is_good_for_a_day_at_least_and_a_day_and_a_half_at_most(into_step_s: float) -> None:
    scene = Scene()
    scene.now_s += into_step_s - 100
    made_s, link = scene.now_s, scene.links.thumbnail("abc")
    scene.now_s = made_s + GOOD_S - 1
    assert scene.is_good(link)
    scene.now_s = made_s + GOOD_S + STEP_S + 1
    assert not scene.is_good(link)


def test_a_link_is_good_for_its_path_alone_and_under_its_key_alone() -> None:
    scene = Scene()
    path, query = parted(scene.links.upload("abc"))
    assert scene.links.is_good(path, query)
    for other in ("/api/uploads/abx", "/api/uploads/abc/thumbnail", "/api/uploads/", path + "\0", "\ud800"):
        assert not scene.links.is_good(other, query)
    assert not Scene(b"another").links.is_good(path, query)


@pytest.mark.parametrize(
    "changed",
    [
        {"expires": "9999999999999"},
        {"expires": "-1"},
        {"expires": "x"},
        {"expires": ""},
        {"expires": "\u0661"},
        {"expires": "\ud800"},
        {"signature": ""},
        {"signature": "ы"},
        {"signature": "\ud800"},
        {"signature": "A" * 43},
    ],
)
def test_a_changed_link_is_no_link(changed: dict[str, str]) -> None:
    scene = Scene()
    path, query = parted(scene.links.upload("abc"))
    assert not scene.links.is_good(path, {**query, **changed})


def test_what_comes_by_a_link() -> None:
    links = Scene().links
    assert links.is_signed({"signature": ""})
    assert links.is_signed({"expires": "1"})
    assert not links.is_signed({"token": "x"})
