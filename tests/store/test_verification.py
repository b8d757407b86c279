"""Every damage is found, said where it is, and told apart from what a crash leaves."""

import random

import pytest
from sample_commits import add, grow

from everlearn.errors import StoreError
from everlearn.store import Store, durable

INJECTIONS = 200


@pytest.fixture
def rich(grown):
    """A store with one of everything."""
    grown.create_branch("v1", grown.head())
    grown.switch("v1")
    grown.put(b"loose " * 1000)
    grown.reject(add(grown, "rejected"))
    grown.write_running("checkpoint", b"checkpoint " * 1000)
    return grown


def harm(data, chance):
    """Flip a bit, truncate, or zero a stretch; never the same bytes."""
    kind = chance.choice(["flip", "truncate", "zero"])
    place = chance.randrange(len(data))
    if kind == "truncate":
        return data[:place]
    damaged = bytearray(data)
    if kind == "zero":
        end = chance.randrange(place, len(data)) + 1
        damaged[place:end] = bytes(end - place)
    if bytes(damaged) == data:
        damaged[place] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def test_a_sound_store_has_no_faults(rich):
    assert rich.verify() == []
    assert rich.leftovers() == []


def test_all_random_damages_are_found(rich):
    chance = random.Random(20)
    root = rich.folder / ".everlearn"
    victims = [path for path in sorted(root.rglob("*")) if path.is_file() and path.stat().st_size]
    victims.remove(root / "lock")  # its text serves a message only
    assert {"HEAD", "format.json", "main", "v1", "checkpoint"} < {path.name for path in victims}
    for _ in range(INJECTIONS):
        path = chance.choice(victims)
        whole = path.read_bytes()
        path.write_bytes(harm(whole, chance))
        faults = rich.verify()
        assert path in [fault.path for fault in faults], path
        assert all(fault.problem and fault.repair for fault in faults)
        path.write_bytes(whole)
    assert rich.verify() == []


def test_every_flipped_bit_of_the_format_is_found(rich):
    path = rich.folder / ".everlearn" / "format.json"
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(StoreError):
            Store.open(rich.folder)


def test_a_missing_object_is_told_with_the_commit_that_needs_it(rich):
    lost = rich.commit("head~1").weights_object
    path = rich._objects.locate(lost)
    path.unlink()
    (fault,) = rich.verify()
    assert fault.path == path
    assert fault.problem == f"the object is missing; commit {rich.resolve('head~1')[:12]} needs it"
    assert "roll back to a commit before" in fault.repair


def test_a_damaged_object_is_told_with_the_commit_that_needs_it(rich):
    path = rich._objects.locate(rich.commit("head").weights_object)
    path.write_bytes(b"")
    (fault,) = rich.verify()
    assert fault.problem == (
        f"the object is damaged: content and name do not match; commit {rich.head()[:12]} needs it"
    )


def test_a_missing_commit_is_told_and_so_is_each_reference_that_led_there(rich):
    path = rich._objects.locate(rich.resolve("base"))
    path.unlink()
    faults = {fault.path: fault.problem for fault in rich.verify()}
    assert "the object is missing; commit " in faults[path]
    assert "is missing" in faults[rich.folder / ".everlearn" / "refs" / "branches" / "main"]


def test_a_reference_to_what_is_no_commit_is_a_fault(rich):
    loose = rich.put(b"{}")
    rich._references.set_branch("main", loose)
    (fault,) = rich.verify()
    assert fault.path.name == "main"
    assert f"object {loose[:12]} is no commit" in fault.problem


def test_a_lost_branch_is_a_fault_even_if_it_was_the_only_one(grown):
    (grown.folder / ".everlearn" / "refs" / "branches" / "main").unlink()
    (fault,) = grown.verify()
    assert fault.path.name == "HEAD"
    assert fault.problem == "it names the branch 'main', which does not exist"
    with pytest.raises(StoreError):
        grown.collect_garbage()


def test_what_a_crash_leaves_is_no_fault(rich):
    leftover = rich._objects.locate(rich.head()).with_name(f"{durable.TEMPORARY}9-ff")
    leftover.write_bytes(b"half")
    assert rich.verify() == []
    assert rich.leftovers() == [leftover]


def test_the_repairs_work(rich):
    newest, older = rich.head(), rich.resolve("head~1")
    head = rich.folder / ".everlearn" / "HEAD"
    head.write_bytes(b"\0" * 8)
    rich.switch("v1")
    assert rich.verify() == []
    (rich.folder / ".everlearn" / "refs" / "branches" / "v1").write_bytes(b"")
    rich.advance(older)
    assert rich.verify() == []
    weights = rich._objects.locate(rich.commit(newest).weights_object)
    weights.write_bytes(b"wrong")
    rich.put(b"weights two")
    assert rich.verify() == []
    grow(rich, "goes on")
