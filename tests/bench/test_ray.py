"""The same grid on a local Ray of two workers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everlearn.bench.grid import Cell, open_grid
from everlearn.bench.launch import launch
from everlearn.bench.recording import read_learning
from everlearn.bench.request import resolve
from everlearn.errors import EverlearnError

pytest.importorskip("ray")


def test_two_workers_of_a_local_ray_finish_a_grid(tmp_path, wish):
    grid = open_grid(tmp_path, resolve(replace(wish, references=False, rounds=1))).grid
    state = launch(grid, 2, "local", lambda state: None)
    assert (state.finished, state.failed) == (3, ())
    learners = {read_learning(grid.path(Cell(arm.name, 1))).process for arm in grid.request.taught}
    examiners = {grid.examined(cell).process for cell in grid.cells()}
    assert not learners & examiners


def test_an_address_without_a_cluster_is_said(tmp_path, wish):
    grid = open_grid(tmp_path, resolve(replace(wish, references=False, rounds=1))).grid
    with pytest.raises(EverlearnError, match="no Ray cluster at nowhere:1"):
        launch(grid, 1, "nowhere:1", lambda state: None)
