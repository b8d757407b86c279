"""A failing disk or a kill at call 1, 2, 3, …: the store is whole, and the old or the new one."""

import shutil
import signal

import pytest
from sample_commits import add, grow
from simulated_disk import FaultyDisk, child, disk_full, input_output_error, kill_myself

from everlearn.errors import StoreError
from everlearn.store import Store, durable

MOST_CALLS = 200


def commit_on_top(store):
    grow(store, "new")


def roll_back(store):
    store.advance(store.resolve("base"))


def start_a_branch(store):
    if "side" not in store.branches():
        store.create_branch("side", store.resolve("base"))
    store.switch("side")


def reject_a_commit(store):
    store.reject(add(store, "rejected"))


def collect_garbage(store):
    store.collect_garbage()


def take_a_checkpoint(store):
    store.write_running("state", b"checkpoint 2")


def end_a_run(store):
    store.clear_running()


ACTIONS = [
    commit_on_top,
    roll_back,
    start_a_branch,
    reject_a_commit,
    collect_garbage,
    take_a_checkpoint,
    end_a_run,
]


@pytest.fixture
def prepared(grown, request):
    """A folder with a store: three commits, one rolled back, a loose object, a leftover, a checkpoint."""
    grow(grown, "rolled back")
    grown.advance(grown.resolve("head~1"))
    grown.put(b"loose")
    (grown.folder / ".everlearn" / "objects" / f"{durable.TEMPORARY}1-a").write_bytes(b"half")
    if request.node.callspec.params["action"] is not collect_garbage:
        grown.write_running("state", b"checkpoint 1")
        grown.write_running("weights", b"weights 1")
    return grown.folder


@pytest.fixture
def copy(prepared, tmp_path):
    """Gives a fresh copy of the prepared store, as often as wanted."""

    def fresh(number):
        folder = tmp_path / "copies" / f"{number}"
        shutil.copytree(prepared / ".everlearn", folder / ".everlearn")
        return Store.open(folder)

    return fresh


def state(store):
    """All that a user can see of a store."""
    return (
        store.branch(),
        store.head(),
        store.branches(),
        store.rejected(),
        store.read_running("state"),
        store.read_running("weights"),
    )


def allowed(action, copy):
    """The states before, after, and (where an action has two steps) between."""
    store = copy("allowed")
    states = [state(store)]
    if action is start_a_branch:
        store.create_branch("side", store.resolve("base"))
        states.append(state(store))
    action(store)
    return [*states, state(store)]


def check(folder, states, action):
    """The store is whole, in one of the states, and the action can be done again."""
    store = Store.open(folder)
    assert store.verify() == []
    assert state(store) in states
    assert [entry.commit.message for entry in store.history("main")][-1] == "base"
    action(store)
    assert store.verify() == []
    assert state(store)[1:3] == states[-1][1:3] or action is commit_on_top
    store.clear_running()
    store.collect_garbage()
    assert store.verify() == [] and store.leftovers() == []


@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_any_call(copy, action, monkeypatch):
    states = allowed(action, copy)
    for call in range(1, MOST_CALLS):
        store = copy(call)

        def die(store=store, call=call):
            monkeypatch.setattr(durable, "perform", FaultyDisk(call, kill_myself))
            action(store)

        status = child(die)
        assert status in (0, signal.SIGKILL)
        check(store.folder, states, action)
        if status == 0:
            break
    assert status == 0
    assert call > 4


@pytest.mark.parametrize(("fault", "lasting"), [(disk_full, True), (input_output_error, False)])
@pytest.mark.parametrize("action", ACTIONS)
def test_the_disk_fails_at_any_call(copy, action, disk, fault, lasting):
    perform = durable.perform
    states = allowed(action, copy)
    for call in range(1, MOST_CALLS):
        store = copy(call)
        before = len(store.leftovers())
        faulty = disk(call, fault, lasting)
        try:
            action(store)
        except StoreError as error:
            assert faulty.fired
            assert error.hint
            assert ("the disk is full" in error.problem) == (fault is disk_full)
        else:
            assert state(store) == states[-1]
        durable.perform = perform
        if not lasting and action is not end_a_run:
            assert len(store.leftovers()) <= before
        check(store.folder, states, action)
        if not faulty.fired:
            break
    assert not faulty.fired
    assert call > 4


def test_a_store_whose_creation_was_killed_can_be_created_again(tmp_path, monkeypatch):
    for call in range(1, MOST_CALLS):
        folder = tmp_path / f"{call}"
        folder.mkdir()

        def die(folder=folder, call=call):
            monkeypatch.setattr(durable, "perform", FaultyDisk(call, kill_myself))
            Store.create(folder)

        status = child(die)
        try:
            store = Store.open(folder)
        except StoreError:
            store = Store.create(folder)
        assert store.verify() == [] and store.branch() == "main"
        grow(store, "base")
        assert store.verify() == []
        if status == 0:
            break
    assert status == 0
    assert call > 20


def test_the_first_commit_of_a_store_killed_at_any_call(tmp_path, monkeypatch):
    for call in range(1, MOST_CALLS):
        folder = tmp_path / f"{call}"
        folder.mkdir()
        store = Store.create(folder)

        def die(store=store, call=call):
            monkeypatch.setattr(durable, "perform", FaultyDisk(call, kill_myself))
            grow(store, "base")

        status = child(die)
        assert store.verify() == []
        assert len(store.branches()) in (0, 1)
        grow(store, "base" if not store.branches() else "one")
        assert store.verify() == []
        if status == 0:
            break
    assert status == 0
