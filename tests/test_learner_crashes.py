"""A learner killed at random moments must, once resumed, end in the very weights of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from everlearn import examiner
from everlearn.learner import Learner
from everlearn.store import Store
from sample_lessons import few_candidates, write_handbook

KILLS = 10


def learn(folder: Path, data: Path, model: Path) -> None:
    """What a killed process was doing: start the run, or go on with it."""
    torch.set_num_threads(1)
    learner = Learner(folder, model=str(model), checkpoint_seconds=0.05)
    if learner.store.read_running("request.json") is not None:
        learner.resume()
    elif not is_finished(learner.store):
        learner.learn(data, method="anchored", settings=SETTINGS, study="raw+rules")


def is_finished(store: Store) -> bool:
    """Whether a version was learnt, accepted or not."""
    return bool(store.rejected()) or (bool(store.branches()) and len(store.history()) > 1)


SETTINGS = {"epochs": 12, "learning_rate": 3e-3, "anchors": 8, "anchor_length": 16, "anchors_per_step": 2}


def in_child(folder: Path, data: Path, model: Path) -> int:
    """A forked process that learns; its exit code is 0 only if it got to the end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            learn(folder, data, model)
            code = 0
        finally:
            os._exit(code)
    return child


def outcome(store: Store) -> tuple[str, dict[str, int]]:
    """Digest of the weights of the only version that was learnt, accepted or not, and the tokens it cost."""
    names = store.rejected() or [store.head()]
    commit = store.commit(names[0])
    return commit.weights_object, commit.cost.tokens


@pytest.fixture
def few_questions(monkeypatch):
    monkeypatch.setattr(examiner, "candidates", few_candidates)


def test_kill_9_at_random_moments_loses_nothing(tmp_path, tiny_folder, few_questions):
    data = write_handbook(tmp_path)
    (tmp_path / "whole").mkdir()
    begin = time.monotonic()
    child = in_child(tmp_path / "whole", data, tiny_folder)
    assert os.waitpid(child, 0)[1] == 0
    duration = time.monotonic() - begin
    expected = outcome(Store.open(tmp_path / "whole"))

    source = random.Random(0)
    kills = 0
    attempt = 0
    while kills < KILLS:
        folder = tmp_path / f"attempt{attempt}"
        folder.mkdir()
        attempt += 1
        for _ in range(200):
            child = in_child(folder, data, tiny_folder)
            time.sleep(source.uniform(0.0, 1.1 * duration))
            os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
            if status == 0:
                break
            assert os.WIFSIGNALED(status), "the learner failed by itself"
            kills += 1
            if (folder / ".everlearn" / "format.json").is_file():
                assert Store.open(folder).verify() == []
        assert outcome(Store.open(folder)) == expected
        assert Store.open(folder).verify() == []


def test_a_store_whose_creation_was_cut_short_is_completed(tmp_path, tiny_folder):
    Store.create(tmp_path)
    (tmp_path / ".everlearn" / "format.json").unlink()
    Learner(tmp_path, model=str(tiny_folder))
    assert Store.open(tmp_path).verify() == []
