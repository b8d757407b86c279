"""Worlds of triggers in: replies worked out anew from the notes must be the right ones, and nothing may leak, out."""

import re
from collections import Counter

import pytest

from everlearn.grade import Reply, check
from everlearn.nonce import Lexicon
from everlearn.plugins import find
from everlearn.streams.contract import Family
from everlearn.streams.rules import (
    BRIDGES,
    CUED,
    FORMERLY,
    INPUTS,
    LETTERS,
    NEUTRAL,
    ORDER,
    PLAIN_ROWS,
    SPELT_OUT,
    TOGETHER,
    UNCUED,
    UNSEEN,
    Rules,
    is_unseen,
)
from everlearn.streams.worlds.reply_formats import BEHAVIOURS
from streams.taught import numbered_rows, rows, words

NAMES = {behaviour.text: behaviour.name for behaviour in BEHAVIOURS}
ALLOWED = re.compile(r"[a-z0-9 .,:;?()=]+")


def made(lessons=3, items=4, seed=1):
    return Rules().world(Lexicon(seed), seed, lessons, items)


def letters_in(text):
    return [word for word in re.findall(r"\w+", text) if word in LETTERS and len(word) == 1]


def answer(probe):
    """What somebody replies who has read the notes and knows what is common to all worlds."""
    old, new = {}, {}
    assert (ORDER in probe.reading) == (probe.axis == "composition")
    for note in probe.reading[: -1 if ORDER in probe.reading else None]:
        revised, name, trigger, text = re.fullmatch(r"(from now on )?the (\w+) rule, (\w+): (.+)\.", note).groups()
        (new if revised else old).update({name: NAMES[text], trigger: NAMES[text]})
    now = old if re.search(r"\b(old|before)\b", probe.prompt) else old | new
    found = [now[word] for word in words(probe.prompt) if word in now]
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


def test_it_is_a_family():
    assert find("streams", "rules", Family) is Rules


def test_the_same_arguments_make_the_same_world_and_probes():
    one, other = made(), made()
    assert one == other
    assert one.probes(5, 4) == other.probes(5, 4)
    assert {p.prompt for p in one.probes(5, 4)} != {p.prompt for p in one.probes(6, 4)}


def test_a_lesson_has_as_many_rows_as_worked_out_by_hand():
    each, other = 2 + 2 + 8 * INPUTS, PLAIN_ROWS + BRIDGES
    assert [len(lesson.examples) for lesson in made().lessons] == [4 * each + other] + [5 * each + other] * 2
    assert 5 * each + other <= 420
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
        read = [notes.index(note) for note in probe.reading if note != ORDER]
        assert read == sorted(read)


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
    held = [re.sub(r"\\{[ntx]\\}", ".+", re.escape(wording)) for wording in (*UNSEEN, *FORMERLY)]
    texts = [texts for texts in rows(made(8)) if letters_in(texts[0])]
    assert not any(re.fullmatch(wording, texts[0]) for texts in texts for wording in held)
    assert not any(is_unseen(letters_in(text[0])) for text in texts)
    assert all(is_unseen(letters_in(p.prompt)) for p in made(8).probes(1, 5) if p.kind != "far")


def together(world):
    """Keys of the rules whose words stand in one row, for all rows with two of them."""
    key = {word: rule.key for rule in world.rules for word in (rule.name, rule.trigger)}
    found = [frozenset(key[word] for word in words(" ".join(texts)) if word in key) for texts in rows(world)]
    return {keys for keys in found if len(keys) > 1}


@pytest.mark.parametrize(("lessons", "items"), [(8, 4), (2, 2), (1, 256)])
def test_no_row_holds_two_rules_that_a_probe_asks_for_nor_a_word_that_is_none(lessons, items):
    world = made(lessons, items)
    shown = together(world)
    lesson = {rule.key: rule.lesson for rule in world.rules}
    assert shown == world.bridged
    assert all(len({lesson[key] for key in keys}) == 1 for keys in shown)
    asked = {frozenset(probe.atoms) for probe in world.probes(1, 60) if probe.axis == "composition"}
    assert not asked & shown
    assert not {word for texts in rows(world) for word in words(" ".join(texts))} & set(world.neutral)
    assert len(world.neutral) == lessons * NEUTRAL


def matching(prompt, wordings):
    """The words of a prompt at the places of the wording that it has; nothing if it has none of them."""
    for wording in wordings:
        pattern = re.sub(r"\\{([ntux])\\}", lambda place: f"(?P<{place[1]}>.+)", re.escape(wording))
        if match := re.fullmatch(pattern, prompt):
            return match.groupdict()
    return {}


@pytest.mark.parametrize("seed", range(3))
def test_each_lesson_shows_some_of_its_pairs_in_the_wordings_of_compositions(seed):
    world = made(8, 4, seed)
    rule = {rule.trigger: rule for rule in world.rules}
    found = Counter()
    for lesson, texts in numbered_rows(world):
        for explicit, wordings in ((False, TOGETHER), (True, SPELT_OUT)):
            if at := matching(texts[0], wordings):
                pair = [rule[at["t"]], rule[at["u"]]]
                assert all(one.lesson == lesson and one.revised is None for one in pair)
                one, other = (one.behaviour.name for one in pair)
                reply = by_hand([one, other], at["x"].split())
                assert texts[1] == (f"{one} and {other}, so {reply}" if explicit else reply)
                found[lesson, explicit] += 1
    for lesson in range(8):
        assert found[lesson, False] == found[lesson, True] == BRIDGES // 2
    kinds = {(probe.kind, probe.lesson) for probe in world.probes(1, 9)}
    assert sum(kind == "two_within" for kind, _ in kinds) >= 4


def test_names_and_triggers_are_trained_alike_and_stand_together_in_statements_alone():
    world = made(3)
    assert len(CUED) == len(UNCUED)
    for rule in world.rules:
        own = [texts for texts in rows(world) if {rule.name, rule.trigger} & set(words(texts[0]))]
        own = [texts for texts in own if not matching(texts[0], (*TOGETHER, *SPELT_OUT))]
        both = [texts for texts in own if {rule.name, rule.trigger} <= set(words(texts[0]))]
        assert {len(texts) for texts in both} == {1}
        asked = Counter(rule.name in words(texts[0]) for texts in own if len(texts) == 2)
        times = 2 if rule.revised else 1
        assert asked == {True: times * (4 * INPUTS + 1), False: times * (4 * INPUTS + 1)}


def test_cued_probes_hold_the_name_and_uncued_ones_the_trigger():
    world = made(3)
    rule = {rule.key: rule for rule in world.rules}
    probes = [probe for probe in world.probes(1, 9) if probe.cue]
    assert {probe.cue for probe in probes} == {"cued", "uncued"}
    for probe in probes:
        shown = {rule[probe.key].name, rule[probe.key].trigger} & set(words(probe.prompt))
        assert shown == {rule[probe.key].name if probe.cue == "cued" else rule[probe.key].trigger}


def test_a_revision_changes_what_is_done_at_the_name_and_at_the_trigger():
    world = made(4)
    revised = [rule for rule in world.rules if rule.revised]
    asked = [probe.prompt for probe in world.probes(1, 40) if probe.kind == "revised"]
    assert any(rule.name in words(prompt) for rule in revised for prompt in asked)
    assert any(rule.trigger in words(prompt) for rule in revised for prompt in asked)


def test_rivals_are_what_the_other_rules_would_reply():
    world = made(2, 3)
    rules = {rule.key: rule for rule in world.rules}
    for probe in world.probes(1, 9):
        right = probe.reply or probe.gold
        assert probe.rivals == tuple(sorted(set(probe.rivals) - {right}))
        assert probe.rivals
        names = [one.name for key, rule in rules.items() if key != probe.key for one in rule.behaviours]
        letters = letters_in(probe.prompt)
        if probe.kind == "far":
            assert set(probe.rivals) == {*names} - {right}
        elif probe.axis != "composition":
            assert set(probe.rivals) == {by_hand([name], letters) for name in names} - {right}
        else:
            own = [rules[key].behaviour.name for key in probe.atoms]
            swaps = {" ".join(sorted(pair)) for name in names for pair in ((own[0], name), (name, own[1]))}
            said = {reply.split(", so ")[-1] if probe.explicit else reply for reply in probe.rivals}
            assert said <= {by_hand(swap.split(), letters) for swap in swaps}


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
    assert all(" rule" in probe.prompt for probe in probes if probe.cue == "cued")


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
    fixed = {w for t in texts for w in re.findall(r"[a-z]{2,}", t)} - set(world.neutral)
    assert len(fixed - {word for rule in world.rules for word in (rule.name, rule.trigger)}) <= 120


@pytest.mark.parametrize(("items", "shown"), [(2, [0]), (3, [0, 1, 2, 3])])
def test_small_lessons_show_one_pair_and_some_rules_are_revised(items, shown):
    for seed in range(20):
        world = made(4, items, seed)
        pairs = Counter(lesson for lesson, texts in numbered_rows(world) if matching(texts[0], (*TOGETHER, *SPELT_OUT)))
        assert all(pairs[lesson] == BRIDGES for lesson in shown)
        lessons = {rule.key: rule.lesson for rule in world.rules}
        reserved = Counter(lessons[key] for pair in world.bridged for key in pair)
        assert set(reserved.values()) == {2}
        assert {rule.revised_in for rule in world.rules if rule.revised} >= {2, 3}
        assert any(probe.kind == "two_triggers" for probe in world.probes(1, 5))


def test_lessons_are_dealt_each_for_itself():
    worlds = [made(3, 4, seed) for seed in range(200)]
    again = Counter()
    for world in worlds:
        first, second = ({r.behaviour for r in world.rules if r.lesson == lesson} for lesson in (0, 1))
        assert len(first) == len(second) == 4
        again[len(first & second)] += 1
    mean = sum(count * worlds for count, worlds in again.items()) / 200
    assert 1.1 < mean < 1.6, "4 of 12 and 4 of 12 share 4 / 3 on average"


def test_values_are_those_of_somebody_who_knows_all_other_lessons():
    slots = {behaviour.name: behaviour.slot for behaviour in BEHAVIOURS}
    for seed in range(3):
        world = made(4, 4, seed)
        rules = {rule.key: rule for rule in world.rules}
        for probe in world.probes(1, 9):
            if probe.kind.startswith("two_triggers"):
                known = min((rules[key] for key in probe.atoms), key=lambda rule: rule.lesson).behaviour.name
                assert probe.values == {"list": 10, "join": 9, "front": 8, "back": 9}[slots[known]]
            elif probe.kind.startswith("two_within"):
                assert probe.values == 53
            elif probe.axis != "boundary":
                assert probe.values == (11 if probe.kind == "revised" else 12)
