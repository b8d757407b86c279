"""The code, published means and docs/methods in: whether every page is there, and generated parts are fresh, out."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from everlearn import plugins
from everlearn.methods.contract import Method

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "methods"
METHODS = plugins.names("methods")


@pytest.fixture(scope="module")
def pages():
    spec = importlib.util.spec_from_file_location("method_pages", ROOT / "scripts" / "method_pages.py")
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
        "base": {"rho": pages.Mean(1.0, None, 1)},
    }
    board = pages.Board("lab", means)
    for name in ("replay", "ewc"):
        assert "| **replay+ewc (strong)** |" in pages.results(name, [board])
    assert "strong" not in pages.results("si", [board])
    assert pages.ranked(board) == ["replay+ewc (strong)", "finetune"], "who does both comes first, references nowhere"
    assert "| replay+ewc (strong) |" in pages.headline([board])


def test_a_page_without_a_mark_is_refused(pages):
    with pytest.raises(SystemExit, match="there is no"):
        pages.filled("# nothing", "results", "x")
