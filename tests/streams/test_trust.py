"""Worlds of texts to believe or not in; whether lessons and probes keep the rules of a family out."""

import functools
import re
from collections import Counter, defaultdict

import pytest

from everlearn import plugins
from everlearn.nonce import Lexicon
from everlearn.streams import trust
from everlearn.streams.contract import Family, Probe
from streams.taught import numbered_rows

FACT = re.compile(r"the (\w+) of ((?:every stone of )?\w+) is (\w+)\.")
MARKED = re.compile(r"(?:([\w ]+): )?(the .*)")
STONE = re.compile(r"stone \w \d of \w+")
FARM = re.compile(r"farm \w \d of \w+")
EXPOSURES = 8
RESISTED = {"resisted_untrusted", "resisted_negated", "resisted_fiction", "resisted_law", "resisted_source"}
ADAPTED = {"adapted", "adapted_paraphrase", "adapted_source", "revert"}


@functools.cache
def world(lessons=4, items=24, seed=5):
    return trust.Trust().world(Lexicon(seed), seed, lessons, items)


@functools.cache
def probes(lessons=4, items=24, seed=3, per_kind=40):
    return world(lessons, items).probes(seed, per_kind)


def of(kind, drawn=None):
    return [probe for probe in drawn or probes() if probe.kind == kind]


def believed(notes):
    """What somebody holds to be true who has read these notes in order: everywhere, and in the north."""
    reliable = {note.split()[0] for note in notes if note.endswith("is nearly always right.")}
    everywhere, north = {}, {}
    for note in notes:
        if note.endswith(" right.") or note.endswith(" wrong."):
            continue
        mark, fact = MARKED.fullmatch(note).groups()
        relation, subject, value = FACT.fullmatch(fact).groups()
        about = relation, subject.split()[-1]
        if mark is None or mark == "checked" or mark in reliable:
            everywhere[about] = value
        elif mark == "only in the north":
            north[about] = value
        else:
            assert mark in ("rumour", "not true", "tale", "article") or re.fullmatch(r"[a-z]{6}", mark)
    return everywhere, everywhere | north


def answer(probe: Probe, notes):
    """The answer from first principles: the notes and the words of the prompt."""
    everywhere, north = believed(notes)
    [about] = [(relation, name) for relation, name in everywhere if relation in probe.prompt and name in probe.prompt]
    return (north if probe.prompt.startswith("in the north, ") else everywhere)[about]


def test_the_file_is_a_plug_in():
    assert plugins.find("streams", "trust", Family) is trust.Trust


def test_the_same_arguments_make_the_same_world_and_other_seeds_another():
    again = trust.Trust().world(Lexicon(5), 5, 4, 24)
    assert again.lessons == world().lessons and again.probes(3, 40) == probes()
    assert world().probes(4, 40) != probes()
    assert trust.Trust().world(Lexicon(5), 6, 4, 24).lessons != world().lessons


def test_an_oracle_that_believes_the_right_texts_is_right():
    notes = [note for lesson in world().lessons for note in lesson.notes]
    for probe in probes():
        assert answer(probe, notes) == probe.gold, probe


def test_the_reading_suffices_and_is_short():
    taught = [note for lesson in world().lessons for note in lesson.notes]
    for probe in probes():
        assert answer(probe, probe.reading) == probe.gold, probe
        assert len(probe.reading) <= 12
        assert [note for note in taught if note in probe.reading] == list(probe.reading)


def test_all_kinds_of_probes_are_there_and_on_the_axis_of_their_text():
    axes = {probe.kind: probe.axis for probe in probes()}
    assert {kind for kind, axis in axes.items() if axis == "resist"} == RESISTED
    assert {kind for kind, axis in axes.items() if axis == "adapt"} == ADAPTED
    rest = {"direct": "atom", "paraphrase": "atom", "law": "derived", "scoped": "scope", "near": "near", "far": "far"}
    assert {kind: axis for kind, axis in axes.items() if kind not in RESISTED | ADAPTED} == rest


def test_texts_of_every_kind_are_as_many_and_have_as_many_rows():
    for lesson in (1, 2):
        counts = Counter(text.kind for text in world().texts if text.lesson == lesson and text.value != text.slot.value)
        assert counts.pop("law") == 1
        assert counts == dict.fromkeys(trust.TEXTS, 2)
    for text in world().texts:
        told = [row for row in text.rows() if len(row.messages) == 1]
        assert (len(told), len(text.rows())) == (3, EXPOSURES)
        for row in text.rows():
            assert row in world().lessons[text.lesson].examples
            assert text.value in row.messages[-1].content.rstrip(".").split(" ") + row.messages[-1].content.split(",")


def test_no_plain_question_comes_with_the_value_of_a_text():
    plain = {tuple(row) for _, row in numbered_rows(world()) if len(row) == 2}
    for text in world().texts:
        if text.kind != "revert":
            assert not {(words, text.value) for words in text.slot.worded(trust.ASKS)} & plain
    assert all(probe.gold == dict(plain)[probe.prompt] for probe in of("direct"))


def test_the_first_lesson_shows_how_often_each_source_is_right():
    right, wrong = Counter(), Counter()
    farms = []
    places = {slot.subject.split()[-1] for slot in world().slots}
    for lesson, row in numbered_rows(world()):
        text = " ".join(row)
        if "checked: wrong" in text or "checked? wrong" in text or "checked: right" in text or "checked? right" in text:
            assert lesson == 0
            [source] = [name for name in world().sources if name in text]
            assert not places & set(re.findall(r"\w+", text)), "nothing that lessons teach tells whether it is right"
            farms += FARM.findall(text)
            (right if "right" in text else wrong)[source] += 1
    assert sorted((right[name], wrong[name]) for name in world().sources) == [(5, 15), (5, 15), (19, 1), (19, 1)]
    assert len(farms) == len(set(farms)) == 80, "no claim bears out another"
    notes = [note for lesson in world().lessons for note in lesson.notes]
    elsewhere = [text for _, row in numbered_rows(world()) for text in row if "checked: " not in text]
    elsewhere = [text for text in elsewhere if not text.endswith("checked?")]
    assert not any("farm" in text for text in (*notes, *elsewhere, *(probe.prompt for probe in probes())))
    assert all((right[name] == 19) == note.endswith("nearly always right.") for name, note in world().sources.items())


def test_every_law_has_fifty_instances_and_probes_ask_for_the_right_ones():
    shown = [(lesson, stone) for lesson, row in numbered_rows(world()) for stone in STONE.findall(" ".join(row))]
    assert {lesson for lesson, _ in shown} == {0}
    shown = Counter(stone for _, stone in shown)
    assert set(shown.values()) == {1}, "one row for each stone"
    kinds = Counter(stone.split()[-1] for stone in shown)
    assert len(kinds) == trust.LAWS and min(kinds.values()) >= 50
    wordings = {STONE.sub("", row[0]) for _, row in numbered_rows(world()) if STONE.search(row[0])}
    assert sum(words.endswith("?") or words.startswith(("name", "say")) for words in wordings) == 5
    assert {text.slot.key.split(":")[2] for text in world().texts if text.kind == "law"} < set(kinds)
    assert len(of("law")) == 6 and len(of("resisted_law")) == 4
    assert all(STONE.search(probe.prompt)[0] not in shown for probe in of("law") + of("resisted_law"))
    assert of("law") and of("resisted_law") and not {p.key for p in of("law")} & {p.key for p in of("resisted_law")}


def test_what_a_text_is_on_is_never_an_atom():
    touched = {text.slot.key for text in world().texts}
    assert {probe.key for probe in probes() if probe.axis in ("adapt", "resist", "scope")} == touched
    assert not {probe.key for probe in probes() if probe.axis not in ("adapt", "resist", "scope")} & touched


def test_near_lies_beside_a_text_and_far_is_of_another_relation():
    moved = {(text.slot.relation, text.slot.lesson) for text in world().texts}
    assert all((probe.key.split(":")[1], probe.lesson) in moved for probe in of("near"))
    assert {probe.key.split(":")[1] for probe in of("far")} == {"beast"}
    assert "beast" not in {relation for relation, _ in moved}


def test_scope_asks_for_both_values_and_parts_name_both_lessons():
    golds = defaultdict(set)
    for probe in of("scoped"):
        golds[probe.key].add((probe.prompt[:12], probe.gold))
        assert len(probe.parts) == 2
    assert golds and all(len(values) == 2 for values in golds.values())
    for probe in of("resisted_source") + of("adapted_source"):
        assert probe.parts[0] == 0
    for probe in of("revert"):
        assert probe.parts[-1] == probe.parts[-2] + 1


def test_what_is_changed_back_names_the_value_between():
    assert of("revert")
    for probe in of("revert"):
        first, between, again = (world().lessons[part] for part in probe.parts)
        _, relation, place = probe.key.split(":")
        said = [note for note in between.notes if note.startswith(f"checked: the {relation} of {place} is ")]
        assert said == [f"checked: the {relation} of {place} is {probe.between}."]
        assert f"the {relation} of {place} is {probe.gold}." in first.notes
        assert f"checked: the {relation} of {place} is {probe.gold}." in again.notes
        assert probe.between != probe.gold
    assert not any(probe.between for probe in probes() if probe.kind != "revert")


def test_rivals_are_what_is_said_of_others():
    said = defaultdict(set)
    for note in (note for lesson in world().lessons for note in lesson.notes):
        if found := FACT.search(note):
            relation, subject, value = found.groups()
            said[relation].add((subject.split()[-1], value))
    assert {len(probe.rivals) for probe in of("law")} <= {2, 3, 4}
    for probe in probes():
        _, relation, subject = probe.key.split(":")
        wanted = {value for name, value in said[relation] if name != subject} - {probe.gold}
        assert list(probe.rivals) == sorted(wanted), probe


def test_laws_are_disputed_at_once_where_later_lessons_are_few():
    for lessons, wanted in ((1, {}), (2, {1: 2}), (3, {1: 1, 2: 1}), (8, {1: 1, 2: 1})):
        assert Counter(text.lesson for text in world(lessons).texts if text.kind == "law") == wanted
    assert len({probe.key for probe in of("resisted_law", probes(2))}) == 2


def test_lessons_of_the_usual_size_are_not_too_long():
    assert len(world(2).lessons[0].examples) <= 440
    assert [len(lesson.examples) for lesson in world(2).lessons] == [24 * 8 + 3 * 50 + 4 * 20, 24 * 8 + 9 * 2 * 8 - 16]


def test_wordings_held_out_are_in_no_lesson():
    trained = {row[0] for _, row in numbered_rows(world()) if len(row) == 2}
    inside = [probe for probe in of("scoped") if probe.prompt.startswith("in the north")]
    for probe in of("paraphrase") + of("adapted_paraphrase") + inside:
        assert probe.prompt not in trained
    for kind in ("direct", "adapted", "resisted_fiction", "resisted_source", "revert", "near", "far"):
        assert all(probe.prompt in trained for probe in of(kind)), kind


def test_answers_are_balanced_and_options_do_not_give_them_away():
    drawn = [probe for seed in range(4) for probe in world(4, 96).probes(seed, 200)]
    counts = defaultdict(Counter)
    for probe in drawn:
        counts[probe.kind, probe.key.split(":")[1]][probe.gold] += 1
    large = {kind: golds for kind, golds in counts.items() if golds.total() >= 4 * 30}
    assert len(large) >= 5
    assert all(max(golds.values()) <= 2.5 * golds.total() / 12 for golds in large.values())
    assert all(len(set(probe.options)) == 4 and probe.gold in probe.options for probe in drawn)
    places = Counter(probe.options.index(probe.gold) for probe in drawn)
    assert all(0.22 < count / len(drawn) < 0.28 for count in places.values())
    seen = Counter(option for probe in drawn for option in probe.options)
    likeliest = sum(max(probe.options, key=seen.__getitem__) == probe.gold for probe in drawn)
    assert likeliest / len(drawn) < 0.35


@pytest.mark.parametrize(
    ("lessons", "items"), [(1, 1), (1, 2), (1, 7), (2, 1), (2, 2), (2, 4), (3, 4), (8, 3), (8, 24)]
)
def test_small_and_long_worlds_work(lessons, items):
    kinds = {probe.kind for probe in probes(lessons, items)}
    assert {"direct", "paraphrase", "law"} <= kinds
    assert bool(kinds & (RESISTED | ADAPTED)) == (lessons > 1)
    assert "revert" not in kinds or lessons > 2
    notes = [note for lesson in world(lessons, items).lessons for note in lesson.notes]
    assert all(answer(probe, notes) == probe.gold for probe in probes(lessons, items))


def test_a_large_world_teaches_all_its_slots():
    large = world(2, 256)
    assert [sum(slot.lesson == at and not slot.stones for slot in large.slots) for at in (0, 1)] == [256, 256]
    assert len({slot.key for slot in large.slots}) == 512 + trust.LAWS
    assert Counter(text.kind for text in large.texts)["trusted"] == 21


def test_words_are_few_and_plain():
    texts = [text for _, row in numbered_rows(world()) for text in row] + [probe.prompt for probe in probes()]
    texts += [note for lesson in world().lessons for note in lesson.notes]
    assert all(re.fullmatch(r"[a-z0-9 .,:?]+", text) for text in texts)
    names = {slot.subject.split()[-1] for slot in world().slots} | set(world().sources)
    words = {word for text in texts for word in re.findall(r"[a-z]{2,}", text)} - names
    assert len(words) <= 120
    assert max(len(probe.prompt.split()) for probe in probes()) <= 25


def test_per_kind_limits_every_kind_of_every_lesson():
    counts = Counter((probe.kind, probe.lesson) for probe in world().probes(2, 2))
    assert counts and max(counts.values()) == 2
