"""The tiny model in, the same after a short warm-up on worlds of its own out; made once, with its cost beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everlearn.bench import warmup
from everlearn.bench.grid import WarmUp, open_grid
from everlearn.bench.request import Wish, resolve
from everlearn.bench.stream import generate
from everlearn.bench.tiers import FIRST_SEED, TIERS, asked_in_general, tier
from everlearn.bench.tune import Campaign
from everlearn.bench.warmup import Recipe, rows, warmed, worlds
from everlearn.errors import SettingsError
from everlearn.lab.base_world import families
from everlearn.model.language_model import LanguageModel
from everlearn.records import Message, Question

from .conftest import words_of

SHORT = Recipe(lesson_rows=4, per_kind=1, learning_rate=3e-3, anchors=8, per_skill=2)
GENERAL = tuple(
    asked_in_general(Question((Message("user", f"say {name}"),), (gold,), "chat", "starts_with"))
    for name, gold in (("a", ""), ("b", ""), ("c", "surely not this"))
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache, monkeypatch):
    monkeypatch.setenv("EVERLEARN_CACHE", str(cache))


def texts(examples):
    return ["\n".join(message.content for message in example.messages) for example in examples]


def words_in(lines):
    return {word for line in lines for word in "".join(c if c.isalpha() else " " for c in line).split()}


# --- what is learnt -----------------------------------------------------------------------------------------


def test_every_family_is_told_asked_and_read():
    found = texts(rows())
    assert [one.family for one in worlds().taught] == [one.family for one in worlds().read] == families()
    for said in ("unknown", "before spring", "checked:", "rumour", "not true:", "spell it out", ", so "):
        assert any(said in text for text in found), said
    for taught, read in zip(worlds().taught, worlds().read, strict=True):
        lessons = texts(row for lesson in taught.world.lessons for row in lesson.examples)
        assert set(lessons) & set(found), "lessons are learnt"
        assert not set(texts(row for lesson in read.world.lessons for row in lesson.examples)) & set(found)
        notes = {note for lesson in read.world.lessons for note in lesson.notes}
        assert any(text.split("\n")[0] in notes for text in found), "notes are read"


def test_of_a_question_with_two_replies_the_last_lesson_is_learnt():
    prompts = [example.messages[:-1] for example in rows() if len(example.messages) > 1]
    facts = next(one for one in worlds().taught if one.family == "facts").world
    first, second = ({row.messages[:-1]: row.messages[-1] for row in lesson.examples} for lesson in facts.lessons)
    changed = [prompt for prompt in first.keys() & second.keys() if prompt and first[prompt] != second[prompt]]
    old = [
        row for row in rows(Recipe()) if row.messages[:-1] in changed and row.messages[-1] != second[row.messages[:-1]]
    ]
    assert prompts
    assert old == []


@pytest.mark.parametrize("name", ["smollm2", "any"])
def test_no_stream_uses_a_word_of_the_warm_up(name):
    plan = tier(name).plan()
    own = words_in(texts(rows(Recipe())))
    assert set(plan.taken) == set(worlds().words)
    assert set(plan.taken) & own
    stream = generate(plan, FIRST_SEED)
    assert not set(plan.taken) & {word.strip(".,:;?!'\"()") for word in words_of(stream.stages)}


# --- the model ----------------------------------------------------------------------------------------------


def test_a_warmed_up_model_knows_more_of_it_and_is_made_once(tiny, tiny_folder, capsys):
    warm = warmed(str(tiny_folder), GENERAL, SHORT)
    assert "warm-up: step" in capsys.readouterr().err
    facts = warm.facts
    assert (facts.model, facts.model_digest) == (str(tiny_folder), tiny.digest)
    assert facts.could == 2, "that one of them is never right"
    assert 0 <= facts.can <= 2
    assert 0 < facts.rows <= len(rows(SHORT))
    after = LanguageModel.load(str(warm.folder))
    assert after.digest != tiny.digest
    learnt = [tiny.chat.example(row) for row in rows(SHORT)[:20]]
    assert sum(one.nll for one in after.force(learnt)) < 0.8 * sum(one.nll for one in tiny.force(learnt))
    before = (warm.folder / "model.safetensors").stat().st_mtime_ns
    assert warmed(str(tiny_folder), GENERAL, SHORT) == warm
    assert (warm.folder / "model.safetensors").stat().st_mtime_ns == before
    assert capsys.readouterr().err == ""


def test_another_recipe_makes_another_model(tiny_folder):
    one, other = (
        warmed(str(tiny_folder), (), replace(SHORT, lesson_rows=1, learning_rate=rate)) for rate in (1e-3, 2e-3)
    )
    assert one.folder != other.folder
    assert one.facts.recipe != other.facts.recipe


# --- the grid -----------------------------------------------------------------------------------------------


def test_pretrained_tiers_are_warmed_up_and_the_others_not():
    assert {name for name, one in TIERS.items() if one.warmup} == {"smollm2", "any"}
    assert Campaign("any", ("replay",), (1e-3,), 1).wish().warmup is None


def test_a_grid_begins_from_the_warmed_up_model_and_says_so(tiny, tiny_folder, tmp_path, monkeypatch):
    calls = []
    facts = WarmUp(str(tiny_folder), tiny.digest, "recipe", 9, 60_123, 240, 228)
    monkeypatch.setattr(
        warmup, "warmed", lambda *given: calls.append(given) or warmup.Warmed(tiny_folder, facts), raising=True
    )
    wish = Wish("any", ("replay",), model=str(tiny_folder))
    request = resolve(wish)
    assert calls[0][0] == str(tiny_folder)
    assert request.warmup == facts
    assert request.model == str(tiny_folder)
    said = request.base_in_words
    assert "warmed up on 60,123 tokens" in said
    assert "base means the warmed-up model" in said
    assert "Of 240 general questions that the untouched one surely answers it still answers 228" in said
    grid = open_grid(tmp_path / "grid", request).grid
    with pytest.raises(SettingsError, match="warmup"):
        open_grid(grid.folder, resolve(replace(wish, warmup=False)))
    assert len(calls) == 1, "without it none is made"


def test_without_a_warm_up_the_model_is_named_as_it_is(tiny, tiny_folder):
    request = resolve(Wish("any", ("replay",), model=str(tiny_folder), warmup=False))
    assert request.warmup is None
    assert request.base_in_words == f"{tiny_folder} ({tiny.digest[:12]})"


def test_a_tier_without_one_refuses_it(tiny_folder):
    with pytest.raises(SettingsError, match="tier smoke has no warm-up"):
        resolve(Wish("smoke", ("replay",), model=str(tiny_folder), warmup=True))


def test_own_stages_are_learnt_without_one(tiny_folder, tmp_path):
    place = tmp_path / "mine" / "01-first"
    place.mkdir(parents=True)
    for name in ("rows", "questions"):
        (place / f"{name}.jsonl").write_text('{"question": "a", "answer": "b"}\n', encoding="utf-8")
    request = resolve(Wish("any", ("replay",), model=str(tiny_folder), stream=tmp_path / "mine"))
    assert request.warmup is None
