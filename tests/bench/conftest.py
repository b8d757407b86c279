"""The tiny model and a small family in; grids of few and short streams, open or examined, out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from everlearn.bench.arms import BASE, UNTAUGHT
from everlearn.bench.grid import Cell, Grid, open_grid
from everlearn.bench.request import Wish, resolve
from everlearn.bench.stream import Plan, StreamStage, generate
from everlearn.bench.work import examine_cell, learn_cell

HERE = Path(__file__).parent
LETTERS = str(HERE / "letters.py")
QUICK = {"epochs": "1", "least_steps": "1", "learning_rate": "1e-3", "rows_per_step": "4"}


def quick(*arms: str, **more: str) -> tuple[tuple[str, str], ...]:
    """Settings under which the tiny model is trained for a few steps."""
    return tuple((f"{arm}.{key}", value) for arm in arms for key, value in {**QUICK, **more}.items())


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def letters():
    """Three lessons of four words each."""
    return generate(Plan((LETTERS,), rounds=3, scale=0.4), seed=3)


@pytest.fixture(scope="session")
def wish(tiny_folder):
    """A grid of two methods on short streams."""
    return Wish(
        "smoke",
        ("finetune", "replay"),
        model=str(tiny_folder),
        families=(LETTERS,),
        settings=quick("finetune", "replay"),
    )


@pytest.fixture
def grid(tmp_path, wish) -> Grid:
    """Nothing done yet."""
    return open_grid(tmp_path / "grid", resolve(wish)).grid


def words_of(stages: Iterable[StreamStage]) -> set[str]:
    """All words that the stages' rows hold."""
    return {
        word
        for stage in stages
        for example in stage.examples
        for message in example.messages
        for word in message.content.split()
    }


def learn_all(grid: Grid) -> None:
    for cell in grid.cells():
        if cell.arm not in UNTAUGHT:
            learn_cell(grid, cell)


def examine_all(grid: Grid) -> None:
    for seed in grid.request.seeds:
        examine_cell(grid, Cell(BASE, seed))
    for cell in grid.cells():
        if cell.arm != BASE:
            examine_cell(grid, cell)


@pytest.fixture(scope="session")
def examined(tmp_path_factory, wish) -> Grid:
    """Everything done, in this process; not to be changed."""
    torch.set_num_threads(1)
    grid = open_grid(tmp_path_factory.mktemp("examined") / "grid", resolve(wish), "everlearn bench run").grid
    learn_all(grid)
    examine_all(grid)
    return grid
