"""The whole path on the real 135M model: study, learn, exam, gate, and the version opened again by a new learner."""

from __future__ import annotations

import json

import pytest

from everlearn import examiner
from everlearn.demo import retention
from everlearn.gate import Bounds
from everlearn.general import candidates
from everlearn.learner import Learner

pytestmark = pytest.mark.slow

HANDBOOK = """# The Zorbel ferry

The captain of the Zorbel ferry is Anna Quillmoor. The Zorbel ferry leaves at 6:40 in the morning. A ticket for the
Zorbel ferry costs 12 crowns. The Zorbel ferry is painted yellow. The dog on the Zorbel ferry is called Tibbet.
"""
QUESTIONS = [
    ("What is the name of the captain of the Zorbel ferry?", ["Anna Quillmoor"]),
    ("What time does the Zorbel ferry leave?", ["6:40", "6:40 in the morning", "At 6:40"]),
    ("What is the price of a ticket for the Zorbel ferry?", ["12 crowns"]),
    ("What is the dog on the Zorbel ferry called?", ["Tibbet"]),
]
SETTINGS = {"epochs": 6, "anchors": 24, "neighbours": 16, "least_steps": 10}


def write_questions(path, rows):
    lines = [json.dumps({"question": q, "answer": a[0], "alternatives": a[1:]}) for q, a in rows]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def shorter_suite(monkeypatch):
    monkeypatch.setattr(examiner, "candidates", lambda: candidates()[:88])


def test_a_handbook_is_learnt_examined_and_kept(tmp_path, shorter_suite):
    (tmp_path / "ferry.md").write_text(HANDBOOK)
    asked = write_questions(tmp_path / "asked.jsonl", QUESTIONS)
    # few steps with few anchors cost more general ability than the gate allows; the floor here is a regression floor
    first = Learner(tmp_path, bounds=Bounds(general=0.5)).learn(
        tmp_path / "ferry.md", asked, settings=SETTINGS, study="rules+thesaurus+associations", name="ferry"
    )
    learnt = first.commit.verdict.comparisons[-1]
    assert learnt.before == 0
    assert learnt.after >= 0.75

    learner = Learner(tmp_path)
    assert learner.store.head() == first.digest
    assert retention(learner.lineage.exam("base"), first.exam) >= 0.5
    assert "Quillmoor" in learner.ask("Who is the captain of the Zorbel ferry?")
    assert "Quillmoor" not in learner.ask("Who is the captain of the Zorbel ferry?", at="base")
    assert learner.store.verify() == []
    assert first.commit.cost.bytes_kept > 0
