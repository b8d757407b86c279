"""Worlds of facts in; whether lessons and probes keep the rules of a family out."""

import functools
import re
from collections import Counter, defaultdict

import pytest

from everlearn import plugins
from everlearn.nonce import Lexicon
from everlearn.streams import facts
from everlearn.streams.contract import HELD_OUT, RENDERINGS, Family, Probe
from streams.taught import numbered_rows

NOTE = re.compile(r"(since spring )?(\w+) (lives in|belongs to|learns from|works as a|meets in) (\w+)\.")
RELATION = dict(zip(("lives in", "belongs to", "learns from", "works as a", "meets in"), facts.RELATIONS, strict=True))


@functools.cache
def world(lessons=6, items=28, seed=5):
    return facts.Facts().world(Lexicon(seed), seed, lessons, items)


@functools.cache
def probes(lessons=6, items=28, seed=3, per_kind=40):
    return world(lessons, items).probes(seed, per_kind)


def of(kind, drawn=None):
    return [probe for probe in drawn or probes() if probe.kind == kind]


def known(notes):
    """What somebody knows who has read these notes: old and new values, by relation and subject."""
    old, new = {}, {}
    for note in notes:
        since, subject, verb, value = NOTE.fullmatch(note).groups()
        (new if since else old)[RELATION[verb], subject] = value
    return old, old | new


SAME = re.compile(r"(?:do (\w+) and (\w+) have the same (\w+)|is the (\w+) of (\w+) the same as that of (\w+))\?")
JOINED = re.compile(r"the (guild|mentor) of (?!the )(\w+)")
OUTER = {"seat": "seat|meet", "home": "home|live", "guild": "guild|belong", "trade": "trade|work"}


def bridges(made, lesson):
    """The relations and names that rows of a lesson join, by their words alone, with question and reply."""
    found = []
    for prompt, reply in (row for at, row in numbered_rows(made) if at == lesson and len(row) == 2):
        if same := SAME.fullmatch(prompt):
            one, other, relation, *turned = same.groups()
            relation, one, other = turned if turned[0] else (relation, one, other)
            found.append(((relation, relation), frozenset((one, other)), prompt, reply))
        elif inner := JOINED.search(prompt):
            outer = [name for name, words in OUTER.items() if re.search(words, prompt.replace(inner[0], ""))]
            found += [((inner[1], *outer), frozenset((inner[2],)), prompt, reply)] if outer else []
    return found


def joined(probe):
    """The same of a probe."""
    _, relations, *names = probe.key.split(":")
    first, second = [relations.removeprefix("same_")] * 2 if len(names) == 2 else relations.split(".")
    return (first, second), frozenset(names)


def answer(probe: Probe, notes):
    """The answer from first principles: the notes and the words of the prompt, none of the family's own records."""
    old, now = known(notes)
    relations = probe.key.split(":")[1]
    prompt = probe.prompt
    if probe.kind == "comparison":
        one, other = ((relations.removeprefix("same_"), name) for name in probe.key.split(":")[2:])
        assert one[1] in prompt and other[1] in prompt
        return "yes" if now[one] == now[other] else "no"
    if "two_hop" in probe.kind:
        first, second = relations.split(".")
        [start] = [name for (relation, name) in now if relation == first and name in prompt]
        bridge = now[first, start]
        value = now[second, bridge]
        return f"{first} is {bridge}, so {value}" if probe.explicit else value
    if probe.kind == "reverse":
        [subject] = [name for (relation, name), value in now.items() if relation == relations and value in prompt]
        return subject
    subject = probe.key.split(":")[2]
    assert subject in prompt
    return (old if probe.kind == "before_update" else now).get((relations, subject), "unknown")


def test_the_file_is_a_plug_in():
    assert plugins.find("streams", "facts", Family) is facts.Facts


def test_the_same_arguments_make_the_same_world_and_other_seeds_another():
    again = facts.Facts().world(Lexicon(5), 5, 6, 28)
    assert again.lessons == world().lessons and again.probes(3, 40) == probes()
    assert world().probes(4, 40) != probes()
    assert facts.Facts().world(Lexicon(5), 6, 6, 28).lessons != world().lessons


def test_each_thing_comes_in_eight_rows_and_one_note():
    for at, lesson in enumerate(world().lessons):
        things = 28 + (7 if at else 0)
        assert len(lesson.notes) == things
        assert len(lesson.examples) == things * (RENDERINGS - HELD_OUT) + len(bridges(world(), at))
        texts = [tuple(message.content for message in example.messages) for example in lesson.examples]
        assert len(set(texts)) == len(texts)


def test_lessons_join_their_own_facts_and_say_what_is_right():
    counts = Counter()
    for at, lesson in enumerate(world().lessons):
        old, _ = known(lesson.notes)
        found = bridges(world(), at)
        assert 8 <= len(found) <= 24
        for (first, second), names, prompt, reply in found:
            one, *other = sorted(names)
            if other:
                assert reply == ("yes" if old[first, one] == old[first, other[0]] else "no")
                keys = {f"facts:{first}:{name}" for name in names}
            else:
                bridge = old[first, one]
                assert reply.rpartition(" ")[2] == old[second, bridge] != reply or not prompt.endswith("spell it out.")
                assert reply == (f"{first} is {bridge}, so " * prompt.endswith("spell it out.")) + old[second, bridge]
                keys = {f"facts:{first}:{one}", f"facts:{second}:{bridge}"}
            assert not keys & set(world().changes), "no later lesson changes it"
            counts["spelt" if " is " in reply else reply if other else "latent"] += 1
    assert counts["yes"] == counts["no"] >= 10 and min(counts["latent"], counts["spelt"]) >= 24


def test_what_rows_join_no_probe_asks_for_but_in_the_same_words():
    taught = [bridge for at in range(6) for bridge in bridges(world(), at)]
    drawn = [probe for seed in range(3) for probe in world().probes(seed, 200)]
    drawn = [probe for probe in drawn if probe.axis == "composition" or probe.kind == "updated_two_hop"]
    assert not {(relations, names) for relations, names, *_ in taught} & {joined(probe) for probe in drawn}
    invented = {name for people in world().people for name in people}
    wordings = {re.sub(r"\w+", lambda word: "x" if word[0] in invented else word[0], row[2]) for row in taught}
    asked = {re.sub(r"\w+", lambda word: "x" if word[0] in invented else word[0], probe.prompt) for probe in drawn}
    assert wordings <= asked and len(wordings) >= 0.8 * len(asked)


def test_rivals_are_what_others_call_for():
    told = {relation: defaultdict(set) for relation in facts.RELATIONS}
    for note in (note for lesson in world().lessons for note in lesson.notes):
        _, subject, verb, value = NOTE.fullmatch(note).groups()
        told[RELATION[verb]][subject].add(value)
    for probe in probes():
        _, relations, *names = probe.key.split(":")
        if probe.kind == "comparison":
            assert probe.rivals == ()
            continue
        assert probe.rivals and probe.gold not in probe.rivals
        assert list(probe.rivals) == sorted(set(probe.rivals))
        first, _, second = relations.rpartition(".")
        if probe.kind == "reverse":
            assert set(probe.rivals) == set(told[second]) - {probe.gold}
        elif probe.explicit:
            [bridge] = told[first][names[0]]
            others = {(who, value) for who, values in told[second].items() for value in values}
            mentors = {value for values in told[first].values() for value in values} & {who for who, _ in others}
            possible = {f"{first} is {who}, so {value}" for who, value in others if who in mentors}
            possible |= {f"{first} is {bridge}, so {value}" for _, value in others}
            assert set(probe.rivals) == possible - {probe.gold}
        else:
            about = now_bridge(probe) if first else names[0]
            wanted = {value for who, values in told[second].items() if who != about for value in values}
            assert set(probe.rivals) == wanted - {probe.gold}, probe


def now_bridge(probe):
    """Through whom a probe of two facts goes."""
    now = known([note for lesson in world().lessons for note in lesson.notes])[1]
    return now[joined(probe)[0][0], probe.key.split(":")[2]]


def test_an_oracle_that_has_read_all_notes_is_right():
    notes = [note for lesson in world().lessons for note in lesson.notes]
    for probe in probes():
        assert answer(probe, notes) == probe.gold, probe


def test_the_reading_suffices_and_is_short():
    for probe in probes():
        taught = [note for lesson in world().lessons for note in lesson.notes]
        assert answer(probe, probe.reading) == probe.gold, probe
        assert len(probe.reading) <= 12
        assert [note for note in taught if note in probe.reading] == list(probe.reading)


def test_parts_are_the_lessons_without_which_it_cannot_be_answered():
    for probe in probes():
        if probe.axis == "boundary":
            continue
        needed = [note for part in probe.parts for note in world().lessons[part].notes]
        assert answer(probe, needed) == probe.gold
        for missing in probe.parts[:1] if probe.kind == "before_update" else probe.parts:
            rest = [note for part in probe.parts if part != missing for note in world().lessons[part].notes]
            with pytest.raises((KeyError, ValueError, AssertionError)):
                assert answer(probe, rest) == probe.gold, "answered without"


def test_wordings_held_out_are_in_no_lesson():
    trained = {texts[0] for _, texts in numbered_rows(world()) if len(texts) == 2}
    for probe in of("paraphrase") + of("updated_paraphrase"):
        assert probe.prompt not in trained
    for kind in ("direct", "updated", "near", "far"):
        assert all(probe.prompt in trained for probe in of(kind)), kind
    drawn = [probe for seed in range(3) for probe in of("paraphrase", probes(seed=seed))]
    assert len({probe.prompt.replace(probe.key.split(":")[2], "") for probe in drawn}) == 20


def test_no_row_holds_both_ends_of_a_composition():
    texts = [" ".join(texts) for _, texts in numbered_rows(world())]
    words = [set(re.findall(r"\w+", text)) for text in texts]
    for probe in probes():
        if probe.axis != "composition":
            continue
        ends = set(probe.key.split(":")[2:])
        ends |= {probe.gold.rpartition(" ")[2]} if probe.kind != "comparison" else set()
        assert len(ends) == 2
        assert not any(ends <= row for row in words), probe


@pytest.mark.parametrize(("lessons", "items"), [(1, 8), (2, 3), (2, 28), (6, 28)])
def test_no_row_goes_the_way_of_a_reverse_question(lessons, items):
    made = world(lessons, items)
    texts = [re.findall(r"\w+", " ".join(row)) for _, row in numbered_rows(made)]
    turned = [fact for fact in made.told.values() if fact.relation in ("mentor", "seat")]
    assert turned and {probe.key for probe in of("reverse", probes(lessons, items))} <= {fact.key for fact in turned}
    for fact in turned:
        both = [words for words in texts if {fact.subject, fact.value} <= set(words)]
        assert len(both) >= 8
        assert all(words.index(fact.subject) < words.index(fact.value) for words in both), fact


def test_seats_known_from_other_lessons_leave_fewer_to_guess():
    for lessons, items, left in ((1, 28, 12), (2, 28, 6), (6, 28, 2), (2, 4, 11), (12, 28, 2)):
        drawn = [probe for probe in probes(lessons, items) if probe.key.split(":")[1].rpartition(".")[2] == "seat"]
        kinds = {probe.kind for probe in drawn}
        assert kinds >= {"direct", "paraphrase", "reverse"}
        assert {"two_hop", "two_hop_explicit", "far"} <= kinds or (lessons, items) != (6, 28)
        assert {probe.values for probe in drawn} == {left}, (lessons, items)
    homes = [probe for probe in of("direct") if probe.key.startswith("facts:home:")]
    assert {probe.values for probe in homes} == {12}


def test_atoms_of_compositions_are_drawn_beside_them():
    drawn = world().probes(11, 3)
    atoms = {probe.key for probe in drawn if probe.kind == "direct"}
    composed = [probe for probe in drawn if probe.axis == "composition"]
    assert composed and all(len(probe.atoms) == 2 and set(probe.atoms) <= atoms for probe in composed)


def test_what_changes_is_asked_for_under_adapt_and_scope_only():
    changed = set(world().changes)
    assert len(changed) == 5 * 7
    for probe in probes():
        touched = {probe.key, *probe.atoms} & changed
        assert not touched or probe.axis in ("adapt", "scope"), probe
    assert {probe.key for probe in of("updated")} == changed


def test_changes_date_from_later_lessons_and_give_another_value():
    for key, new in world().changes.items():
        old = world().told[key]
        assert new.lesson > old.lesson and new.value != old.value
        assert new.note in world().lessons[new.lesson].notes and new.note.startswith("since spring ")


def test_near_is_the_relation_and_lesson_of_a_change_and_far_another_relation():
    changed = {(new.relation, world().told[key].lesson) for key, new in world().changes.items()}
    relations = {relation for relation, _ in changed}
    assert of("near") and of("far")
    for probe in of("near"):
        assert (probe.key.split(":")[1], probe.lesson) in changed
    assert all(probe.key.split(":")[1] not in relations for probe in of("far"))


def test_compositions_lie_within_lessons_and_across():
    for kind in ("two_hop", "two_hop_explicit", "comparison"):
        lengths = Counter(len(probe.parts) for probe in of(kind))
        assert lengths[1] >= 10 and lengths[2] >= 10, (kind, lengths)


def test_answers_are_balanced():
    drawn = world(8, 64).probes(1, 200)
    for kind in ("direct", "paraphrase", "two_hop", "updated", "before_update", "near", "updated_two_hop"):
        golds = defaultdict(Counter)
        for probe in of(kind, drawn):
            golds[max(probe.values, facts.VALUES), probe.key.split(":")[1].split(".")[-1]][probe.gold] += 1
        for (values, _), counts in golds.items():
            if counts.total() >= 5 * values:
                assert max(counts.values()) <= 2.5 * counts.total() / values, (kind, counts)
    answers = Counter(probe.gold for probe in of("comparison", drawn))
    assert abs(answers["yes"] - answers["no"]) <= 8


def test_options_do_not_give_the_answer_away():
    drawn = [probe for seed in range(4) for probe in world(6, 28).probes(seed, 40) if probe.options]
    assert all(len(set(probe.options)) == 4 and probe.gold in probe.options for probe in drawn)
    places = Counter(probe.options.index(probe.gold) for probe in drawn)
    assert all(0.22 < count / len(drawn) < 0.28 for count in places.values())
    seen = Counter(option for probe in drawn for option in probe.options)
    likeliest = sum(max(probe.options, key=seen.__getitem__) == probe.gold for probe in drawn)
    assert likeliest / len(drawn) < 0.33


@pytest.mark.parametrize(
    ("lessons", "items"), [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 4), (3, 4), (8, 3), (8, 28)]
)
def test_small_and_long_worlds_work(lessons, items):
    drawn = probes(lessons, items)
    assert {probe.kind for probe in drawn} >= {"direct", "paraphrase", "unanswerable"}
    assert all(0 <= part < lessons for probe in drawn for part in probe.parts)
    assert all(probe.values >= 2 for probe in drawn)
    assert ("updated" in {probe.kind for probe in drawn}) == (lessons > 1 and items >= 4)


def test_a_large_world_has_all_its_facts():
    large = world(2, 256)
    assert [len(lesson.notes) for lesson in large.lessons] == [256, 320]
    assert len(large.told) == 512 and len(large.changes) == 64
    assert [len(bridges(large, at)) for at in (0, 1)] == [24, 24]
    assert max(len(probe.rivals) for probe in large.probes(1, 6)) > 64, "all are kept"


def test_words_are_few_and_plain():
    texts = [text for _, row in numbered_rows(world()) for text in row] + [probe.prompt for probe in probes()]
    texts += [probe.gold for probe in probes()] + [note for lesson in world().lessons for note in lesson.notes]
    assert all(re.fullmatch(r"[a-z .,?]+", text) for text in texts)
    names = {name for people in world().people for name in people} | set(world().names["mentor"])
    names |= {*world().names["town"], *world().names["guild"]}
    words = {word for text in texts for word in re.findall(r"[a-z]+", text)} - names
    assert len(words) <= 120
    assert max(len(probe.prompt.split()) for probe in probes()) <= 25


def test_per_kind_limits_every_kind_of_every_lesson():
    counts = Counter((probe.kind, probe.lesson) for probe in world().probes(2, 3) if probe.kind != "direct")
    assert counts and max(counts.values()) <= 3
