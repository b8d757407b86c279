"""Worlds of labels in: labels worked out anew from the notes must be the right ones, and no shortcut may work, out."""

import re
from collections import Counter

import pytest

from everlearn.errors import SettingsError
from everlearn.grade import Reply, check
from everlearn.nonce import Lexicon
from everlearn.plugins import find
from everlearn.streams.classes import (
    BRIDGES,
    FORMERLY,
    HAS,
    INPUTS,
    UNSEEN,
    Classes,
)
from everlearn.streams.contract import Family
from everlearn.streams.worlds.invented_labels import ATTRIBUTES
from streams.taught import numbered_rows, rows, words

ALLOWED = re.compile(r"[a-z0-9 .,:;?()=]+")
ATTRIBUTE = {value: name for name, values in ATTRIBUTES.items() for value in values}


def made(lessons=3, items=4, seed=1):
    return Classes().world(Lexicon(seed), seed, lessons, items)


def answer(probe):
    """What somebody replies who has read the notes and knows what is common to all worlds."""
    means, now = {}, {}
    name, _, prompt = probe.prompt.partition(": ")
    assert all(note.startswith(f"{name}: ") for note in probe.reading)
    for note in (note.removeprefix(f"{name}: ") for note in probe.reading):
        if match := re.fullmatch(r"(\w+) is now called (\w+)\.", note):
            now[match[1]] = match[2]
        else:
            label, values = note.removesuffix(".").split(": ")
            means[label] = values.split(" and ")
    if asked := re.fullmatch(r"what (\w+) has a (\w+)\?|(\w+): which (\w+)\?", prompt):
        attribute, label = (asked[1], asked[2]) if asked[1] else (asked[4], asked[3])
        return next(value for value in means[label] if ATTRIBUTE[value] == attribute)

    def named(text):
        (label,) = (label for label, values in means.items() if set(values) <= set(words(text)))
        return label if re.search(r"\b(old|before)\b", text) else now.get(label, label)

    if re.match("name two things|label both", prompt):
        return " and ".join(named(text) for text in prompt.split(":")[1].split(";"))
    label = named(prompt)
    return f"{' and '.join(means[label])}, so {label}" if probe.explicit else label


def test_it_is_a_family():
    assert find("streams", "classes", Family) is Classes


def test_the_same_arguments_make_the_same_world_and_probes():
    one, other = made(), made()
    assert one == other
    assert one.probes(5, 4) == other.probes(5, 4)
    assert {p.prompt for p in one.probes(5, 4)} != {p.prompt for p in one.probes(6, 4)}


def test_a_lesson_has_as_many_rows_as_worked_out_by_hand():
    each = 2 + 1 + 5 * INPUTS
    counts = [len(lesson.examples) for lesson in made().lessons]
    assert counts == [4 * each + BRIDGES, 5 * each + BRIDGES, 5 * each + BRIDGES]
    assert max(counts) <= 420
    assert [len(lesson.notes) for lesson in made().lessons] == [4, 5, 5]


@pytest.mark.parametrize(("lessons", "items"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 4), (8, 4), (3, 9), (1, 256)])
def test_every_probe_is_answered_by_somebody_who_has_read_its_notes(lessons, items):
    world = made(lessons, items)
    probes = world.probes(3, 10)
    assert probes
    notes = [note for taught in world.lessons for note in taught.notes]
    for probe in probes:
        assert answer(probe) == (probe.reply or probe.gold), probe
        assert len(probe.reading) <= 12
        assert [notes.index(note) for note in probe.reading] == sorted(notes.index(note) for note in probe.reading)
        assert probe.values >= 2


@pytest.mark.parametrize("seed", range(5))
def test_the_lead_is_enough_within_a_lesson_and_useless_across(seed):
    world = made(3, 4, seed)
    for lesson in range(3):
        traits = [dict(label.traits) for label in world.labels if label.lesson == lesson]
        assert [len({t[name] for t in traits}) for name in traits[0]].count(4) == 1
        assert len({t[world.lead] for t in traits}) == 4
    lead = {label.word: dict(label.traits)[world.lead] for label in world.labels}
    lesson = {label.word: label.lesson for label in world.labels}
    for probe in world.probes(1, 20):
        pair = [word for word in words(probe.prompt) if word in lead]
        if probe.kind == "within":
            assert lead[pair[0]] != lead[pair[1]]
            assert lesson[pair[0]] == lesson[pair[1]]
        if probe.kind in ("cross", "cross_explicit"):
            right = probe.gold.removeprefix("so ")
            newest = [word for word in pair if lesson[word] == probe.lesson]
            (earlier,) = set(pair) - set(newest)
            assert right in newest, "an earlier label alone does not tell which it is"
            assert len(newest) == len(probe.parts) == probe.values == 2
            assert lead[right] == lead[earlier]
            assert len({lead[word] for word in newest}) == 2
            assert (probe.axis, probe.atoms) == ("derived", ()), "one label is enough to choose"
        assert (probe.axis == "composition") == (probe.kind in ("both", "both_within")) == bool(probe.atoms)


@pytest.mark.parametrize(("lessons", "items", "deciding"), [(5, 6, 2), (6, 4, 3), (1, 210, 3), (1, 211, 4), (8, 4, 3)])
def test_as_few_attributes_decide_as_give_enough_labels(lessons, items, deciding):
    labels = made(lessons, items).labels
    assert {len(label.traits) for label in labels} == {deciding}
    assert len({tuple(name for name, _ in label.traits) for label in labels}) == 1
    assert len({label.traits for label in labels}) == lessons * items


def test_more_labels_than_conjunctions_are_refused():
    with pytest.raises(SettingsError, match="1297 lessons of 1 labels are more than there are conjunctions") as error:
        made(1297, 1)
    assert "7770" in error.value.hint


def test_no_lesson_uses_the_wordings_and_descriptions_of_probes():
    world = made(8)
    held = [re.sub(r"\\{\w+\\}", ".+", re.escape(wording)) for wording in (*UNSEEN, *HAS, *FORMERLY)]
    assert not any(re.fullmatch(wording, texts[0].split(": ", 1)[1]) for texts in rows(world) for wording in held)
    deciding = {name for name, _ in world.labels[0].traits}

    def details(text):
        return frozenset(word for word in words(text) if word in ATTRIBUTE and ATTRIBUTE[word] not in deciding)

    def shown(prompt):
        return [
            details(part) for part in (prompt.split(";") if " two things: " in prompt or "both" in prompt else [prompt])
        ]

    trained = {one for texts in rows(world) for one in shown(texts[0])} - {frozenset()}
    kinds = ("union", "paraphrase", "both", "both_within", "within", "cross")
    asked = {one for probe in world.probes(1, 20) if probe.kind in kinds for one in shown(probe.prompt)}
    assert asked
    assert not asked & trained


@pytest.mark.parametrize(("lessons", "items"), [(8, 4), (2, 2), (1, 256)])
def test_no_row_holds_two_labels_of_a_composition(lessons, items):
    world = made(lessons, items)
    key = {label.word: label.key for label in world.labels if not label.renamed}
    found = [frozenset(key[word] for word in words(" ".join(texts)) if word in key) for texts in rows(world)]
    together = {keys for keys in found if len(keys) > 1}
    lesson = {label.key: label.lesson for label in world.labels}
    assert together == world.bridged
    assert all(len({lesson[key] for key in keys}) == 1 for keys in together)
    probes = [probe for probe in world.probes(1, 60) if probe.kind in ("both", "both_within", "within", "cross")]
    assert probes or items == 2
    assert not {frozenset(probe.key.split("+")) for probe in probes} & together


@pytest.mark.parametrize("seed", range(3))
def test_each_lesson_shows_some_of_its_pairs_in_the_wordings_that_join_two_lessons(seed):
    world = made(8, 4, seed)
    fixed = [label for label in world.labels if not label.renamed]
    found = Counter()
    for lesson, texts in numbered_rows(world):
        prompt = texts[0].removeprefix(f"{world.name}: ")
        here = {label.word: {value for _, value in label.traits} for label in fixed if label.lesson == lesson}

        def named(text, here=here):
            (label,) = (label for label, values in here.items() if values <= set(words(text)))
            return label

        if re.match("name two things|label both", prompt):
            reply = " and ".join(named(text) for text in prompt.split(":")[1].split(";"))
            found[lesson, "two"] += 1
        elif " or " in prompt:
            offered = re.findall(r"(\w+) or (?:a )?(\w+)", prompt)[0]
            reply = named(prompt)
            assert reply in offered
            assert set(offered) <= set(here)
            explicit = "first say why" in prompt
            found[lesson, "explicit" if explicit else "either"] += 1
            if explicit:
                assert set(words(texts[1].split(", so ")[0])) - {"and"} == here[reply]
                assert texts[1].endswith(f", so {reply}")
                continue
        else:
            continue
        assert texts[1] == reply
    assert set(found.values()) == {BRIDGES // 3}
    assert len(found) == 8 * 3, "half of a lesson's four labels at most are renamed, so that each has a pair"


def test_rivals_are_other_names_in_place_of_the_right_one():
    world = made()
    names = {name for label in world.labels for name in (label.word, label.renamed) if name}
    own = {label.key: {label.word, label.renamed} for label in world.labels}
    for probe in world.probes(1, 9):
        right = probe.reply or probe.gold
        assert probe.rivals == tuple(sorted(set(probe.rivals) - {right}))
        if probe.kind in ("union", "paraphrase", "renamed", "before_rename", "near"):
            assert set(probe.rivals) == names - own[probe.key]
        elif probe.kind in ("within", "cross"):
            assert set(probe.rivals) == names - next(two for two in own.values() if right in two)
        elif probe.kind in ("both", "both_within"):
            assert all(sum(a != b for a, b in zip(r.split(), right.split(), strict=True)) == 1 for r in probe.rivals)
            assert len(probe.rivals) == 2 * (len(names) - 2)
        elif probe.kind in ("describe", "far"):
            taught = {value for label in world.labels for _, value in label.traits}
            assert {ATTRIBUTE[value] for value in probe.rivals} <= {ATTRIBUTE[right]}
            assert set(probe.rivals) <= taught - {right}
        else:
            assert all(re.fullmatch(r".+, so \w+", rival) for rival in probe.rivals)
            assert probe.rivals
    assert max(len(probe.rivals) for probe in made(1, 256).probes(1, 9)) == 2 * 254


def test_a_renamed_label_is_only_asked_for_as_renamed():
    world = made(8)
    renamed = {label.key for label in world.labels if label.renamed}
    assert len(renamed) == 7
    for probe in world.probes(1, 50):
        assert not renamed & {probe.key, *probe.atoms} or probe.axis in ("adapt", "scope")
        assert probe.key in renamed or probe.axis not in ("adapt", "scope")


def test_probes_are_no_more_than_asked_for_and_atoms_of_compositions_stand_beside_them():
    probes = made(8).probes(1, 3)
    counts = Counter((probe.kind, probe.lesson) for probe in probes)
    assert max(count for (kind, _), count in counts.items() if kind != "union") == 3
    assert {kind for kind, _ in counts} == {
        *("union", "paraphrase", "describe", "within", "cross", "cross_explicit", "both", "both_within"),
        *("renamed", "before_rename", "near", "far"),
    }
    assert all(set(probe.atoms) <= {p.key for p in probes if p.kind == "union"} for probe in probes)


def test_no_answer_is_much_more_often_right_than_others():
    probes = made(2, 72).probes(1, 150)
    for kind, share in (("union", 1 / 126), ("describe", 1 / 6), ("paraphrase", 1 / 126)):
        golds = Counter(probe.gold for probe in probes if probe.kind == kind)
        assert max(golds.values()) < 2.5 * share * sum(golds.values())
    names = {label.word for label in made(2, 72).labels}
    for kind, count in (("within", 2), ("cross", 3)):
        offered = [([w for w in words(p.prompt) if w in names], p.gold) for p in probes if p.kind == kind]
        assert all(len(set(three)) == count for three, _ in offered)
        place = Counter(three.index(gold) for three, gold in offered)
        assert all(0.7 / count < place[at] / len(offered) < 1.3 / count for at in range(count))


def test_options_alone_do_not_tell_the_right_one():
    probes = [probe for seed in range(4) for probe in made(8, 4, seed).probes(1, 40) if probe.options]
    assert all(len(set(probe.options)) == 4 and probe.gold in probe.options for probe in probes)
    place = Counter(probe.options.index(probe.gold) for probe in probes)
    assert all(0.2 < place[at] / len(probes) < 0.3 for at in range(4))
    for axes in (("atom",), ("adapt", "scope")):
        chosen = [probe for probe in probes if probe.axis in axes]
        offered = Counter(option for probe in chosen for option in probe.options)
        right = sum(max(probe.options, key=lambda name: offered[name]) == probe.gold for probe in chosen)
        assert right / len(chosen) < 0.35


def test_an_explicit_reply_must_end_with_the_right_label():
    probe = next(probe for probe in made().probes(1, 4) if probe.kind == "cross_explicit")
    pair = [word for word in words(probe.prompt) if word in {label.word for label in made().labels}]
    wrong = min(set(pair) - {probe.gold.removeprefix("so ")})
    assert check(probe.grade, probe.gold, Reply(probe.reply, True, 9))
    assert not check(probe.grade, probe.gold, Reply(f"{probe.reply.split(',')[0]}, so {wrong}", True, 9))


def test_texts_are_small_letters_and_plain_punctuation():
    world = made(8)
    texts = [text for texts in rows(world) for text in texts]
    texts += [text for probe in world.probes(1, 9) for text in (probe.prompt, probe.reply or probe.gold)]
    assert all(ALLOWED.fullmatch(text) for text in texts)
    invented = {name for label in world.labels for name in (label.word, label.renamed)}
    assert len({word for text in texts for word in words(text)} - invented) <= 120


@pytest.mark.parametrize(("items", "shown"), [(2, [0]), (3, [0, 1, 2, 3])])
def test_small_lessons_show_one_pair_and_some_labels_are_renamed(items, shown):
    for seed in range(5):
        world = made(4, items, seed)
        lessons = {label.key: label.lesson for label in world.labels}
        reserved = Counter(lessons[key] for pair in world.bridged for key in pair)
        assert set(reserved.values()) == {2}
        assert set(reserved) >= set(shown)
        assert {label.renamed_in for label in world.labels if label.renamed} >= {2, 3}
        assert {probe.kind for probe in world.probes(1, 5)} >= {"both", "cross"}


def test_values_are_those_of_somebody_who_knows_all_other_lessons():
    world = made(3)
    for probe in world.probes(1, 20):
        names = 5 if probe.lesson else 4
        if probe.kind in ("union", "paraphrase", "renamed", "both"):
            assert probe.values == names
        elif probe.kind == "both_within":
            assert probe.values == names * (names - 1)
        elif probe.kind in ("describe", "far"):  # four leads; of six values of what a lesson shares, two are known
            assert probe.values == 4
