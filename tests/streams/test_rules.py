"""Worlds of triggers in: replies worked out anew from the notes must be the right ones, and nothing may leak, out."""

import itertools
import re
from collections import Counter

import pytest

from everlearn.grade import Reply, check
from everlearn.nonce import Lexicon
from everlearn.plugins import find
from everlearn.streams.contract import Family
from everlearn.streams.rules import (
    BEHAVIOURS,
    FORMERLY,
    INPUTS,
    LETTERS,
    NEUTRAL,
    PAIRS,
    PLAIN_ROWS,
    SPELT_OUT,
    TOGETHER,
    UNSEEN,
    Rules,
    is_unseen,
    obey,
    pattern,
)
from streams.taught import rows

NAMES = {behaviour.text: behaviour.name for behaviour in BEHAVIOURS}
ALLOWED = re.compile(r"[a-z0-9 .,:;?()=]+")


def made(lessons=3, items=4, seed=1):
    return Rules().world(Lexicon(seed), seed, lessons, items)


def letters_in(text):
    return [word for word in re.findall(r"\w+", text) if word in LETTERS and len(word) == 1]


def answer(probe):
    """What somebody replies who has read the notes and knows what is common to all worlds."""
    old, new = {}, {}
    for note in probe.reading:
        told, text = note.removesuffix(".").removeprefix("from now on ").split(": ")
        (new if note.startswith("from now on") else old)[told] = NAMES[text]
    now = old if re.search(r"\b(old|before)\b", probe.prompt) else old | new
    found = [now[word] for word in re.findall(r"\w+", probe.prompt) if word in now]
    if probe.prompt.startswith("name the ") and probe.kind == "far":
        return found[0]
    reply = by_hand(found, letters_in(probe.prompt))
    return f"{found[0]} and {found[1]}, so {reply}" if probe.explicit else reply


def by_hand(names, items):
    if "twice" in names:
        items = items * 2
    if "again" in names:
        items = [*items, items[-1]]
    count = len(items)
    if "number" in names:
        items = [f"{at + 1} {items[at]}" for at in range(count)]
    text = {"comma": ", ", "semicolon": "; "}.get(next(iter({"comma", "semicolon"} & set(names)), ""), " ").join(items)
    for name, form in (("stop", "{} stop"), ("question", "{}?"), ("parentheses", "({})")):
        text = form.format(text) if name in names else text
    for name, start in (("well", "well"), ("yes", "yes"), ("colon", ":"), ("count", count)):
        text = f"{start} {text}" if name in names else text
    return text


@pytest.mark.parametrize(
    ("names", "reply"),
    [
        ([], "m k t"),
        (["twice"], "m k t m k t"),
        (["again"], "m k t t"),
        (["comma"], "m, k, t"),
        (["number"], "1 m 2 k 3 t"),
        (["count"], "3 m k t"),
        (["parentheses"], "(m k t)"),
        (["count", "twice"], "6 m k t m k t"),
        (["stop", "well"], "well m k t stop"),
        (["question", "semicolon"], "m; k; t?"),
        (["number", "again"], "1 m 2 k 3 t 4 t"),
        (["colon", "parentheses"], ": (m k t)"),
    ],
)
def test_behaviours_reply_as_worked_out_by_hand(names, reply):
    assert obey(names, ["m", "k", "t"]) == reply


@pytest.mark.parametrize("letters", [["m", "k"], ["m", "k", "t"], ["m", "k", "t", "b"]])
def test_all_behaviours_and_all_pairs_of_them_reply_differently(letters):
    together = [pair for pair in itertools.combinations(BEHAVIOURS, 2) if pair[0].slot != pair[1].slot]
    replies = {obey([one.name for one in names], letters) for names in [*((one,) for one in BEHAVIOURS), *together]}
    assert len(together) == PAIRS
    assert len(replies | {" ".join(letters)}) == len(BEHAVIOURS) + PAIRS + 1


def test_a_pattern_forgives_white_space_around_punctuation_and_nothing_else():
    right = ["(m, k)", "( m , k )", "(m,k)"]
    wrong = ["m, k", "(m k)", "(m, k", "(m, k) stop", "(k, m)", "(M, k)"]
    assert all(check("regex", pattern("(m, k)"), Reply(text, True, 3)) for text in right)
    assert not any(check("regex", pattern("(m, k)"), Reply(text, True, 3)) for text in wrong)
    assert not check("regex", pattern("m k?"), Reply("m k", True, 3))
    assert not check("regex", pattern("m k"), Reply("mk", True, 3))


def test_it_is_a_family():
    assert find("streams", "rules", Family) is Rules


def test_the_same_arguments_make_the_same_world_and_probes():
    one, other = made(), made()
    assert one == other
    assert one.probes(5, 4) == other.probes(5, 4)
    assert {p.prompt for p in one.probes(5, 4)} != {p.prompt for p in one.probes(6, 4)}


def test_a_lesson_has_as_many_rows_as_worked_out_by_hand():
    each = 2 + 1 + 5 * INPUTS
    assert [len(lesson.examples) for lesson in made().lessons] == [4 * each + PLAIN_ROWS] + [5 * each + PLAIN_ROWS] * 2
    assert [len(lesson.notes) for lesson in made().lessons] == [4, 5, 5]


@pytest.mark.parametrize(("lessons", "items"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 4), (8, 4), (1, 256)])
def test_every_probe_is_answered_by_somebody_who_has_read_its_notes(lessons, items):
    world = made(lessons, items)
    probes = world.probes(3, 10)
    assert probes
    for probe in probes:
        assert answer(probe) == (probe.reply or probe.gold), probe
        assert len(probe.reading) <= 12
        notes = [note for taught in world.lessons for note in taught.notes]
        assert [notes.index(note) for note in probe.reading] == sorted(notes.index(note) for note in probe.reading)


def test_checks_accept_the_canonical_reply_and_reject_the_plain_one():
    graded = [probe for probe in made(8).probes(1, 10) if probe.grade == "regex"]
    assert {probe.kind for probe in graded} > {"triggered_paraphrase", "two_triggers", "absent", "plain"}
    for probe in graded:
        assert check("regex", probe.gold, Reply(probe.reply, True, 9))
        plain = Reply(" ".join(letters_in(probe.prompt)), True, 9)
        assert check("regex", probe.gold, plain) == (probe.axis == "boundary")


def test_an_explicit_reply_must_end_with_the_right_answer():
    probe = next(probe for probe in made().probes(1, 4) if probe.kind == "two_triggers_explicit")
    bridge, said = probe.reply.split(", so ")
    assert not check("regex", probe.gold, Reply(f"{bridge}, so {said} m", True, 9))
    assert not check("regex", probe.gold, Reply(bridge, True, 9))


def test_there_are_no_more_probes_of_a_kind_and_lesson_than_asked_for_but_for_atoms_of_compositions():
    counts = Counter((probe.kind, probe.lesson) for probe in made(8).probes(1, 5) if probe.kind != "triggered")
    assert max(counts.values()) == 5
    assert {kind for kind, _ in counts} == {
        *("named", "triggered_paraphrase", "absent", "plain", "two_triggers", "two_triggers_explicit", "two_within"),
        *("two_within_explicit", "revised", "before_revision", "near", "far"),
    }


def test_atoms_of_compositions_are_asked_beside_them():
    probes = made(1, 256).probes(1, 3)
    asked = {probe.key for probe in probes if probe.axis == "atom"}
    assert all(set(probe.atoms) <= asked for probe in probes)


def test_no_lesson_uses_the_wordings_and_inputs_of_probes():
    held = [re.sub(r"\\{[tux]\\}", ".+", re.escape(w)) for w in (*UNSEEN, *FORMERLY, *TOGETHER, *SPELT_OUT)]
    texts = [texts for texts in rows(made(8)) if letters_in(texts[0])]
    assert not any(re.fullmatch(wording, texts[0]) for texts in texts for wording in held)
    assert not any(is_unseen(letters_in(text[0])) for text in texts)
    assert all(is_unseen(letters_in(p.prompt)) for p in made(8).probes(1, 5) if p.kind != "far")


def test_no_row_holds_two_triggers_nor_a_word_that_is_none():
    world = made(8)
    triggers = {rule.trigger for rule in world.rules}
    for texts in rows(world):
        words = set(re.findall(r"\w+", " ".join(texts)))
        assert len(words & triggers) <= 1
        assert not words & set(world.neutral)
    assert len(world.neutral) == 8 * NEUTRAL


def test_two_triggers_come_from_two_lessons_or_from_one():
    for probe in made(4).probes(1, 20):
        if probe.axis == "composition":
            assert len(probe.parts) == (2 if probe.kind.startswith("two_triggers") else 1)
            assert probe.parts == tuple(sorted(probe.parts))


def test_a_revised_rule_is_only_asked_for_as_revised():
    world = made(8)
    revised = {rule.key for rule in world.rules if rule.revised}
    assert len(revised) == 7
    for probe in world.probes(1, 50):
        assert not revised & {probe.key, *probe.atoms} or probe.axis in ("adapt", "scope")
        assert probe.key in revised or probe.axis not in ("adapt", "scope")


def test_at_least_half_of_each_lesson_is_left_alone():
    world = made(8, 5, seed=4)
    left = Counter(rule.lesson for rule in world.rules if rule.revised is None)
    assert min(left[lesson] for lesson in range(8)) >= 3


def test_cued_and_uncued_probes_are_of_the_same_rules():
    probes = made(1).probes(1, 6)
    cued, uncued = ([p.key for p in probes if p.cue == cue] for cue in ("cued", "uncued"))
    assert sorted(cued) == sorted(uncued) != []
    assert all(" rule: " in probe.prompt for probe in probes if probe.cue == "cued")


def test_no_behaviour_is_much_more_often_right_than_others():
    world = made(1, 240)
    assert set(Counter(rule.behaviour.name for rule in world.rules).values()) == {20}
    keys = {rule.key: rule.behaviour.name for rule in world.rules}
    asked = Counter(keys[probe.key] for probe in world.probes(1, 240) if probe.kind == "triggered")
    assert max(asked.values()) < 1.5 * 240 / 12


def test_texts_are_small_letters_and_plain_punctuation():
    world = made(8)
    texts = [text for texts in rows(world) for text in texts]
    texts += [text for probe in world.probes(1, 9) for text in (probe.prompt, probe.reply or probe.gold)]
    assert all(ALLOWED.fullmatch(text) for text in texts)
    fixed = {w for t in texts for w in re.findall(r"[a-z]{2,}", t)} - {rule.trigger for rule in world.rules}
    assert len(fixed - set(world.neutral)) <= 120
