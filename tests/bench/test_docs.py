"""The code and docs/benchmark.md in: whether the page has every name that the benchmark uses, and no other, out."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from everlearn import plugins
from everlearn.bench import arms, recording
from everlearn.bench.profile import AXES
from everlearn.bench.tiers import TIERS
from everlearn.desiderata.contract import Case, Desideratum, Moment, Trial
from everlearn.nonce import Lexicon
from everlearn.streams.contract import Family

PAGE = Path(__file__).parents[2] / "docs" / "benchmark.md"
NOTHING = Case(Trial("nobody", 1, (Moment(0),)), (), 0, 1, Moment(0))
"""Enough for a desideratum to name its scores."""


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


# --- the page ----------------------------------------------------------------------------------------------


def part(page, heading):
    """What stands under a heading, up to the next one of its level or above."""
    level = len(heading.split(" ")[0])
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{level}}} |\Z)", page, re.M | re.S)
    assert found, f"{heading!r} is not in the page"
    return found[1]


def rows(text):
    """The rows of all its tables, without heads and rules, cell by cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if row[0].startswith("`")]


def names(cell):
    """What stands in it as code."""
    return re.findall(r"`([^`]+)`", cell)


def scores_in(page):
    """Direction and the rest of the row, by desideratum and score."""
    text = part(page, "## Scores")
    headings = [name for name in re.findall(r"^### (.+)$", text, re.M) if name in plugins.names("desiderata")]
    return {
        heading: [(names(row[0])[0], row[1], row[3]) for row in rows(part(page, f"### {heading}"))]
        for heading in headings
    }


def kinds_in(page):
    found = {}
    for row in rows(part(page, "### Kinds of probes")):
        family, axis = names(row[0])[0], row[1]
        assert (family, axis) not in found, f"two rows for {family}, {axis}"
        found[family, axis] = set(names(row[2]))
    return found


# --- the code ----------------------------------------------------------------------------------------------


def scores_of_code():
    found = {}
    for name in plugins.names("desiderata"):
        scores = plugins.find("desiderata", name, Desideratum)().scores(NOTHING)
        found[name] = [(score.name, score.better or "–", score.unit) for score in scores]
    return found


def kinds_of_code():
    """By family and axis; what needs a third lesson is there, what is rare is there by their number."""
    found = defaultdict(set)
    for name in plugins.names("streams"):
        family = plugins.find("streams", name, Family)()
        for probe in family.world(Lexicon(1), 1, 4, family.items).probes(1, 12):
            found[name, probe.axis].add(probe.kind)
    return dict(found)


# --- held against each other -------------------------------------------------------------------------------


def test_every_score_is_there_with_its_direction_and_its_unit(page):
    told, wanted = scores_in(page), scores_of_code()
    assert list(told) and set(told) == set(wanted)
    for name, scores in wanted.items():
        assert [row[:2] for row in told[name]] == [score[:2] for score in scores], name
        for (score, _, about), (_, _, unit) in zip(told[name], scores, strict=True):
            assert about.endswith(unit), f"{score} is in {unit}"


def test_every_question_of_a_desideratum_is_there(page):
    for name in plugins.names("desiderata"):
        question = plugins.find("desiderata", name, Desideratum).question
        assert question in " ".join(part(page, f"### {name}").split()), name


def test_every_family_is_there(page):
    told = [names(row[0])[0] for row in rows(part(page, "## Streams").split("### ")[0])]
    assert sorted(told) == plugins.names("streams")


def test_every_kind_of_probe_stands_at_its_family_and_axis(page):
    assert kinds_in(page) == kinds_of_code()


def test_every_tier_is_there_with_its_plan(page):
    told = {names(row[0])[0]: row for row in rows(part(page, "## Tiers"))}
    assert list(told) == list(TIERS)
    for name, row in told.items():
        plan = TIERS[name].plan()
        assert (row[3], row[4]) == (str(plan.rounds), str(plan.stages)), name


def test_every_reference_is_there(page):
    told = [names(row[0])[0] for row in rows(part(page, "## Arms and references"))]
    assert told == [*arms.REFERENCES]


def test_every_file_of_a_grid_is_there(page):
    told = [names(row[0])[0] for row in rows(part(page, "## Answers and files"))]
    assert told == re.findall(r"^(\S+) {2,}\S", recording.__doc__ or "", re.M)


def test_the_headline_names_the_scores_of_the_profile(page):
    headline = part(page, "## Scores").split("If one number is demanded")[0]
    assert set(AXES.values()) <= {" ".join(name.split()) for name in names(headline)}


def test_checks_that_are_named_exist(page):
    """Tests that the page points to."""
    named = re.findall(r"`(tests/[^`]+)`", page)
    assert len(set(named)) > 5
    assert [path for path in named if not (PAGE.parents[1] / path).exists()] == []


@pytest.mark.parametrize("name", ["forgetting", "trust d′", "two_hop", "smollm2", "wrong_stream", "language"])
def test_a_name_that_is_taken_out_is_missed(page, name):
    """That the readers above see the page and not something that is always right."""
    without = page.replace(f"| `{name}` |", "| nothing |").replace(f"`{name}`", "nothing")
    seen = (scores_in, kinds_in, lambda text: [names(row[0]) for row in rows(text)])
    assert any(read(without) != read(page) for read in seen)
    with pytest.raises((AssertionError, IndexError)):
        for check in (
            test_every_score_is_there_with_its_direction_and_its_unit,
            test_every_family_is_there,
            test_every_kind_of_probe_stands_at_its_family_and_axis,
            test_every_tier_is_there_with_its_plan,
            test_every_reference_is_there,
        ):
            check(without)
