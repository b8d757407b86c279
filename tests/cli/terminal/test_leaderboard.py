"""Made-up boards in; whether their text fits a terminal, says what it must, and cuts no figure, out."""

import re

import pytest
from rich.console import Console

from bench.report.hand_made_cases import Given, case_of
from bench.report.made_up_cases import METHODS, board_of, cases_of
from everlearn.bench.agreement import SCORES, agreement
from everlearn.bench.report.content import Beside, Board
from everlearn.bench.report.scoring import installed, score
from everlearn.bench.statistics import UNDECIDED, Verdict
from everlearn.cli.terminal.agreement import beside_page
from everlearn.cli.terminal.leaderboard import LEGEND, TELLING, lines_of, page_of, verdicts_page

LONG = "a-method-with-a-rather-long-name"
NOTES = (
    "left out of all scores: trust: " + "joint training knows too little of it " * 4,
    "replay: 1 of 2 not finished",
)


def shown(page, width=80):
    """Its lines as a terminal of this width has them."""
    console = Console(width=width, record=True, markup=False, highlight=False, emoji=False, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(page)
    return [line.rstrip() for line in console.export_text().splitlines()]


@pytest.fixture(scope="module", params=[2, 3])
def lines(request):
    """Of two streams, with the widest intervals that there are; and of three."""
    chosen = {"finetune": METHODS["finetune"], LONG: METHODS["replay"], "nothing": METHODS["nothing"]}
    return lines_of(score(board_of(cases_of(chosen, request.param), ("finetune", LONG)), installed()))


def figures_in(text):
    """The means and half intervals that stand in it."""
    return re.findall(r"[−±]?\d*\.\d\d", text)


@pytest.mark.parametrize("width", [66, 80, 100, 140, 200])
def test_no_line_is_too_long_and_no_figure_is_cut(lines, width):
    page = shown(page_of(lines, NOTES, width), width)
    assert max(map(len, page)) <= width
    heads = next(line for line in page if line.startswith("method")).split()
    assert heads[1:8] == [*(column.title for column in TELLING), "FWT" if width >= 128 else "n"]
    table = "\n".join(page[page.index("", len(NOTES)) :])
    every = shown(page_of(lines, NOTES, 200), 200) if width >= 128 else shown(page_of(lines, NOTES, 120), 120)
    assert sorted(figures_in(table)) == sorted(figures_in("\n".join(every[every.index("", len(NOTES)) :])))


def test_figures_are_side_by_side_where_they_fit():
    given = [Given(column.score, {("a", 1): 0.5, ("a", 2): 0.75}) for column in TELLING]
    rows = score(Board(tuple(case_of("a", ("0000", "1100", "1111"), s) for s in (1, 2))), dict(enumerate(given)))
    # half an interval: t(0.975, 1) = 12.706 times .125
    page = shown(page_of(lines_of(rows), (), 90), 90)
    assert next(line for line in page if line.startswith("a ")).count("0.62 ±1.59") == 6
    below = shown(page_of(lines_of(rows), (), 80))
    place = next(place for place, line in enumerate(below) if line.startswith("a "))
    assert (below[place].count("0.62"), below[place + 1].count("±1.59")) == (6, 6)
    assert below[place].endswith(" 2")


def test_a_mean_over_fewer_streams_says_of_how_many():
    cases = tuple(case_of("a", ("0000", "1100", "1111"), s) for s in (1, 2, 3))
    given = [Given(column.score, {("a", s): 0.5 for s in (1, 2, 3)}) for column in TELLING[:-1]]
    told = "3 of 10: a mean over 3 of 10 streams"
    for streams, count in (((1, 3), 1), ((1, 2, 3), 0), ((), 0)):
        last = Given(TELLING[-1].score, {("a", s): 0.5 for s in streams})
        for width in (80, 100):
            page = shown(page_of(lines_of(score(Board(cases), dict(enumerate([*given, last])))), (), width), width)
            assert sum(line.strip() == "2 of 3" for line in page) == count
            assert (told in " ".join(page)) == bool(count)
            assert next(line for line in page if line.startswith("a ")).endswith(" 3")


def test_what_must_be_known_comes_first(lines):
    page = shown(page_of(lines, NOTES, 80))
    assert page[0].startswith("note: left out of all scores: trust")
    head = next(place for place, line in enumerate(page) if line.startswith("method"))
    assert any(line.startswith("note: replay: 1 of 2 not finished") for line in page[:head])


def test_one_line_says_what_learnt_and_kept_are(lines):
    assert LEGEND == "learnt: LA, right just after it was taught; kept: BWT, its change by the end"
    assert LEGEND in shown(page_of(lines, (), 80))


def test_a_wide_terminal_has_the_spread_over_orders(lines):
    own = next(line for line in lines if line.method == "finetune")
    assert own.spread_over_orders > 0
    page = shown(page_of(lines, (), 140), 140)
    head = next(line for line in page if line.startswith("method"))
    row = next(line for line in page if line.startswith("finetune"))
    end = head.index("SD") + 2
    assert row[:end].split()[-1] == f"{own.spread_over_orders:.2f}"
    assert "SD: SD of ACC over streams" in " ".join(page)
    assert " SD " not in " ".join(shown(page_of(lines, (), 80)))


def test_comparisons_fit():
    verdict = Verdict("kept, of what both had learnt", -1.25, -11.5, 11.5, 1, 1, 1, 1, 12.5, 2, 90, UNDECIDED)
    assert max(map(len, shown(verdicts_page(LONG, "finetune", [verdict])))) <= 80


def test_another_grid_is_put_beside():
    names = tuple(f"{LONG}-{place}" for place in range(7))
    ranked = {name: float(place) for place, name in enumerate(names)}
    found = (*(agreement(name, ranked, ranked) for name in SCORES), agreement("FWT", {}, {}))
    page = shown(beside_page(Beside("everlearn benchmark, tier smollm2", "SmolLM2 (0123456789ab)", names, found)))
    assert max(map(len, page)) <= 80
    text = " ".join(" ".join(page).split())
    assert "Based on 7 methods that both have" in text
    assert "hardly anything can be told; p cannot be below 0.0004" in text
    assert "BWT 1.00 <0.001 1.00 <0.001 7" in text
    assert "FWT – – – – 0" in text
