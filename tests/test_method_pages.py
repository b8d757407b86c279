"""The code, published means and docs/methods in: whether every page is there, and generated parts are fresh, out."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from everlearn import plugins
from everlearn.bench.grid import Arm
from everlearn.methods.contract import Method

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "methods"
METHODS = plugins.names("methods")


@pytest.fixture(scope="module")
def pages():
    return loaded("method_pages")


@pytest.fixture
def publish(pages, monkeypatch):
    monkeypatch.setitem(sys.modules, "method_pages", pages)
    return loaded("publish")


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", METHODS)
def test_each_method_has_a_page_whose_generated_parts_are_fresh(pages, name):
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}: ")
    for heading in ("## Use", "## How it is done here, and what differs from the paper", "## Results"):
        assert f"\n{heading}\n" in text
    assert re.search(rf"--method (\w+\+)*{name}\b", text)
    method = plugins.find("methods", name, Method)
    assert pages.page(text, name, method, pages.published()) == text, "run `make pages`"


def test_no_page_is_of_a_method_that_is_gone():
    assert {path.stem for path in PAGES.glob("*.md")} == {*METHODS, "README"}


def test_the_index_and_the_readme_are_fresh(pages):
    known = {name: plugins.find("methods", name, Method) for name in METHODS}
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert pages.filled(index, "methods", pages.listed(known)) == index, "run `make pages`"
    assert pages.filled(index, "leaderboard", pages.everything(pages.published())) == index, "run `make pages`"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert pages.filled(readme, "leaderboard", pages.headline(pages.published())) == readme, "run `make pages`"


def test_figures_are_shown_beside_fine_tunings_with_their_intervals(pages):
    mean = pages.Mean
    means = {
        "finetune": {"ACC": mean(0.2, 0.05, 5), "FLOPs": mean(100.0, 1.0, 5)},
        "ewc": {"ACC": mean(-0.25, 0.125, 5), "FLOPs": mean(150.0, 1.0, 5), "bytes per stage": mean(1234.5, None, 1)},
    }
    table = pages.results("ewc", [pages.Board("lab", means)])
    assert "| **ewc** | · | · | −0.25 ±.12 | · | · | · | · | 1.5× | 1,234 |" in table
    assert "| finetune | · | · | 0.20 ±.05 |" in table
    assert pages.results("mas", [pages.Board("lab", means)]) == "It is on no leaderboard yet."


def test_methods_that_train_together_are_on_the_page_of_each(pages):
    means = {
        "finetune": {"JNS": pages.Mean(0.3, None, 1), "rho": pages.Mean(0.5, None, 1)},
        "replay+ewc (strong)": {"JNS": pages.Mean(0.7, None, 1), "rho": pages.Mean(0.5, None, 1)},
        "joint (mild)": {"JNS": pages.Mean(0.9, None, 1), "rho": pages.Mean(0.9, None, 1)},
    }
    board = pages.Board("lab", means, frozenset({"joint (mild)"}))
    for name in ("replay", "ewc"):
        assert "| **replay+ewc (strong)** |" in pages.results(name, [board])
    assert "strong" not in pages.results("si", [board])
    assert pages.ranked(board) == ["replay+ewc (strong)", "finetune"], "who does both comes first, references nowhere"
    assert "| replay+ewc (strong) |" in pages.headline([board])


def test_the_readme_shows_the_first_of_many_and_marks_those_that_choose_weights(pages):
    figures = {f"mine{number}": 0.9 - number / 100 for number in range(pages.FIRST + 1)} | {
        "scoped": 0.95,
        "idle": None,
    }
    means = {name: {"rho": pages.Mean(1.0, None, 1)} for name in figures}
    for name, value in figures.items():
        means[name] |= {} if value is None else {"JNS": pages.Mean(value, None, 1)}
    board = pages.Board("lab", means)
    table = pages.headline([board])
    assert "| scoped ‡ |" in table and "| mine0 |" in table
    assert "mine9" not in table and "mine10" not in table
    assert pages.ranked(board)[-1] == "idle", "without a figure it is last"
    assert "| mine10 |" in pages.everything([board])


def test_a_line_bears_its_method_and_the_name_of_its_arm(publish):
    shown = {arm.name: publish.shown(arm) for arm in (Arm("ewc", "ewc"), Arm("mild", "joint"), Arm("joint", "joint"))}
    assert shown == {"ewc": "ewc", "mild": "joint (mild)", "joint": "joint"}
    assert publish.shown(Arm("solo", "finetune")) == "solo"


def test_a_page_without_a_mark_is_refused(pages):
    with pytest.raises(SystemExit, match="there is no"):
        pages.filled("# nothing", "results", "x")
