"""The report page: what it says, for which stores, and how it is written."""

import re
from dataclasses import replace

import pytest
from hand_made import hand_made
from made_up_store import fill
from page_reader import Page

from everlearn.errors import EverlearnError
from everlearn.records import Verdict
from everlearn.report import words
from everlearn.report.matrix import accuracy_matrix
from everlearn.report.page import Note, render, write_report
from everlearn.report.progress import flips
from everlearn.store import Store

# --- what it says ------------------------------------------------------------------------------------------


def test_the_headline_is_in_plain_words(read, recording):
    now = recording.versions[-1].exam
    valid = [a for stage in now.stages for a in stage.answers if a.question not in recording.superseded]
    learnt, kept = (
        words.percent(sum(a.correct for a in found) / len(found)).replace(words.NO_BREAK, " ")
        for found in (valid, now.general)
    )
    assert (
        f"After 3 stages it answers {learnt} of what it was taught and keeps {kept} of what it could do." in read.text
    )


def test_the_parts_come_in_order(page):
    parts = (
        "<h1",
        'id="matrix"',
        'id="progress"',
        'id="skills"',
        'id="habits"',
        'id="versions"',
        'id="flips"',
        'id="glossary"',
    )
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_every_asked_cell_leads_to_exactly_its_answers(page, read, recording):
    matrix = accuracy_matrix(recording)
    links = [link.attributes["href"][1:] for link in read.all("a") if link.attributes["href"].startswith("#answers-")]
    wanted = [(r, c) for r, row in enumerate(matrix.cells) for c, cell in enumerate(row) if cell and cell.answers]
    assert links == [f"answers-{row}-{column}" for row, column in wanted]
    for row, column in wanted:
        panel = Page(page.split(f'id="answers-{row}-{column}"')[1].split("</section>")[0])
        cell = matrix.cells[row][column]
        assert len(panel.all("li")) == cell.rate.asked
        for right, mark in ((True, "✓ Right"), (False, "✗ Wrong")):
            count = sum(answer.correct == right for answer in cell.answers)
            assert (f"{mark} ({count})" in panel.text) == (count > 0)
        for answer in cell.answers:
            question = recording.questions[answer.question]
            assert question.messages[-1].content in panel.text
            assert question.gold[0] in panel.text
            assert answer.text in panel.text


def test_the_counts_before_learning_span_the_groups_and_lead_nowhere(read):
    before = read.all("td", "class", "before")
    assert [cell.attributes["colspan"] for cell in before] == ["2", "1", "1"]


def test_a_superseded_cell_is_not_coloured_as_a_loss(read):
    assert len(read.all("td", "class", "outdated")) == 1


def test_a_failed_question_says_why():
    recording = hand_made({"a": ("10",)})
    version = recording.versions[1]
    (stage,) = version.exam.stages
    failed = replace(stage.answers[1], error="longer than the context of 2048 tokens")
    exam = replace(version.exam, stages=(replace(stage, answers=(stage.answers[0], failed)),))
    text = Page(render(recording._replace(versions=(recording.versions[0], version._replace(exam=exam))))).text
    assert "could not be asked: longer than the context of 2048 tokens" in text


def test_each_version_has_its_passport(read, recording):
    assert len(read.all("details")) == 4
    for version in recording.versions:
        commit = version.commit
        for said in (version.digest, commit.method, commit.created.replace("T", " "), commit.exam_object):
            assert said in read.text
        for comparison in commit.verdict.comparisons:
            assert " ".join(words.explain(comparison).split()) in read.text
    for said in ("learning_rate 0.0001", "study raw+rules", "new 12,040", "teacher 2,000", "handbook.md, 2026-03-02"):
        assert said in read.text
    assert all(version.commit.stage_object in read.text for version in recording.versions[1:])


def test_flips_have_the_lost_first(page, recording):
    part = Page(page[page.index('<section id="flips"') :].split("</section>")[0])
    found = flips(recording)
    titles = [f"{name} ({len(some)})" for name, some in zip(("Lost", "Won", "Superseded"), found, strict=True)]
    places = [part.text.index(title) for title in titles]
    assert places == sorted(places)
    assert len(part.all("li")) == sum(map(len, found))
    assert all(len(some) > 0 for some in (found.lost, found.superseded))


def test_skills_have_a_bar_for_the_base_and_one_for_now(read):
    assert len(read.all("div", "class", "base")) == len(read.all("div", "class", "now")) == 10
    assert "sentence completion" in read.text


def test_every_share_has_its_count_and_interval(page):
    for part in (r'<div class="bar.*?</div>', r"<td data-name=\"(?:learnt|kept|agreement)\">.*?</td>"):
        for found in re.findall(part, page, re.S):
            text = Page(found).text
            if "not asked" not in text:
                assert re.search(r"\d %.*\d of \d+, \d+–\d+ %", text), text


def test_the_glossary_explains_the_terms(read):
    for term in (
        "stage",
        "commit",
        "exam",
        "BWT",
        "superseded",
        "agreement",
        "KL",
        "gate",
        "not enough evidence",
        "flip",
    ):
        assert term in read.text[read.text.index("Glossary stage") :]


def test_notes_stand_beside_the_matrix(recording):
    note = Note("Joint training", ("method", "week 1"), (("joint", "88 %"), ("target", "≥ 70 %")), "All data at once.")
    page = render(recording, [note])
    part = page[page.index('<section id="matrix"') : page.index('<section id="progress"')]
    places = [part.index(f">{said}<") for said in (note.title, *note.header, *note.rows[0], *note.rows[1], note.text)]
    assert places == sorted(places)


# --- other stores ------------------------------------------------------------------------------------------


def test_a_store_with_the_base_alone(tmp_path):
    store = Store.create(tmp_path)
    fill(store, ())
    read = Page(write_report(store, tmp_path / "report.html").read_text())
    assert "Nothing has been taught yet: this is the model as it came." in read.text
    assert "Nothing was asked about any stage yet." in read.text


def test_a_line_that_was_asked_nothing():
    text = Page(render(hand_made({"notes": ()}))).text
    assert "After 1 stage it was asked nothing." in text
    assert "The general suite was not asked." in text
    assert "Habits were not measured." in text


def test_a_rejected_version_says_so_at_the_top_in_the_matrix_and_in_its_passport():
    recording = hand_made({"a": ("11",)})
    version = recording.versions[1]
    verdict = Verdict(False, "general, against the base: 1.000 → 0.500")
    refused = version._replace(commit=replace(version.commit, verdict=verdict))
    text = Page(render(recording._replace(versions=(recording.versions[0], refused)))).text
    assert "The gate rejected this version: general, against the base: 1.000 → 0.500." in text
    assert "1 · a ✗ rejected" in text
    assert "✗ Rejected" in text


def test_refused_tries_are_listed_after_the_line():
    recording = hand_made({"a": ("11",)})
    other = hand_made({"try": ("00",)}).versions[1]
    page = render(recording._replace(rejected=(other,)))
    assert page.index("Rejected on the way") > page.index(recording.versions[-1].digest)
    assert other.digest in page


def test_an_older_reference_reports_up_to_there(made_up, tmp_path):
    text = Page(write_report(made_up, tmp_path / "old.html", "head~2").read_text()).text
    assert "After 1 stage it answers" in text
    assert "week 2" not in text


# --- the file ----------------------------------------------------------------------------------------------


def test_the_same_store_gives_the_same_bytes(made_up, page, tmp_path):
    path = tmp_path / "new folder" / "again.html"
    assert write_report(made_up, path) == path
    assert path.read_text(encoding="utf-8") == page
    assert [entry.name for entry in path.parent.iterdir()] == ["again.html"]


def test_it_stays_small(page):
    assert len(page.encode()) < 400_000


def test_a_path_that_cannot_be_written_is_an_error_with_a_way_out(made_up, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EverlearnError, match=r"file/report\.html: cannot write the report") as caught:
        write_report(made_up, tmp_path / "file" / "report.html")
    assert caught.value.hint == "choose another path"
    (tmp_path / "folder").mkdir()
    with pytest.raises(EverlearnError, match="cannot write the report"):
        write_report(made_up, tmp_path / "folder")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]
