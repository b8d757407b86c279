"""Nothing in; a board of made-up cases, its rows, and its page out."""

import pytest
from made_up_cases import METHODS, board_of, cases_of

from everlearn.bench.report.page import write_page
from everlearn.bench.report.scoring import installed, score
from report.page_reader import Page


@pytest.fixture(scope="session")
def board():
    """Four made-up methods on two streams."""
    chosen = ("finetune", "replay", "anchored", "nothing")
    return board_of(cases_of({name: METHODS[name] for name in chosen}, streams=2))


@pytest.fixture(scope="session")
def rows(board):
    """Its scores."""
    return score(board, installed())


@pytest.fixture(scope="session")
def page(board, tmp_path_factory):
    """The text of its page."""
    return write_page(board, tmp_path_factory.mktemp("board") / "board.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def read(page):
    """The same text, taken apart."""
    return Page(page)
