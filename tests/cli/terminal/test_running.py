"""A grid that is looked at before it is run in; what a run would change, or why it would be refused, out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everlearn.bench.grid import Grid, WarmUp, open_grid
from everlearn.bench.request import Wish, resolve
from everlearn.cli.terminal.running import say_changes
from everlearn.errors import SettingsError


@pytest.fixture(scope="module")
def plain(tiny_folder):
    return resolve(Wish("any", ("replay",), model=str(tiny_folder), warmup=False))


def test_a_folder_whose_model_was_warmed_up_is_planned_for_without_a_warm_up(tmp_path, plain, capsys):
    warmup = WarmUp(plain.model, plain.model_digest, "recipe", 1, 2, 3, 4)
    open_grid(tmp_path, replace(plain, model="warm", model_digest="another", warmup=warmup))
    before = (tmp_path / "grid.json").read_bytes()
    say_changes(Grid(tmp_path, plain), None)
    say_changes(Grid(tmp_path, replace(plain, seeds=(1, 2))), True)
    assert capsys.readouterr().err == "note: streams added: 2\n"
    with pytest.raises(SettingsError, match="model_digest, warmup differ"):
        say_changes(Grid(tmp_path, plain), False)
    assert (tmp_path / "grid.json").read_bytes() == before


def test_a_folder_whose_model_was_not_warmed_up_is_told(tmp_path, plain):
    open_grid(tmp_path, plain)
    say_changes(Grid(tmp_path, plain), False)
    with pytest.raises(SettingsError, match="without a warm-up") as error:
        say_changes(Grid(tmp_path, plain), None)
    assert "--no-warmup" in error.value.hint


def test_a_folder_that_is_not_there_stays_so(tmp_path, plain):
    say_changes(Grid(tmp_path / "new", plain), None)
    assert not (tmp_path / "new").exists()
