"""Worlds of operators in: answers worked out anew from the notes must be the right ones, and nothing may leak, out."""

import itertools
import re
import string
from collections import Counter

import pytest

from everlearn.nonce import Lexicon
from everlearn.plugins import find
from everlearn.streams.contract import HELD_OUT, RENDERINGS, Family
from everlearn.streams.operators import Operators
from everlearn.streams.worlds.named_operations import ASKED, ASKED_MARKED, COMPOSED, SAID, SAID_MARKED, UNHEARD
from streams.taught import numbered_rows, rows, words

ALLOWED = re.compile(r"[a-z0-9 .,:;?()=]+")
COMPOSITIONS = {"chain", "chain_explicit", "chain_three", "order"}
CONTROLS = {"near", "far"}


def moved(text, by):
    letters, digits = string.ascii_lowercase, "0123456789"
    alphabet = digits if text[0] in digits else letters
    return "".join(alphabet[(alphabet.index(symbol) + by) % len(alphabet)] for symbol in text)


BY_HAND = {
    "turns the list round": lambda t: "".join(reversed(t)),
    "swaps the first two": lambda t: t[1] + t[0] + t[2:],
    "swaps the last two": lambda t: t[:-2] + t[-1] + t[-2],
    "moves the first to the end": lambda t: t[1:] + t[0],
    "moves the last to the front": lambda t: t[-1] + t[:-1],
    "steps all on": lambda t: moved(t, 1),
    "steps all back": lambda t: moved(t, -1),
    "steps the last on": lambda t: t[:-1] + moved(t[-1], 1),
    "doubles the first": lambda t: t[0] + t,
    "doubles the last": lambda t: t + t[-1],
    "copies the first to the end": lambda t: t + t[0],
    "copies the last to the front": lambda t: t[-1] + t,
}
OPPOSITE = {
    "moves the first to the end": "moves the last to the front",
    "moves the last to the front": "moves the first to the end",
    "steps all on": "steps all back",
    "steps all back": "steps all on",
}


def made(lessons=3, items=8, seed=1):
    return Operators().world(Lexicon(seed), seed, lessons, items)


def notes_of(probe):
    """Phrases by name, before and after redefinitions, and names by marker."""
    old, new, markers = {}, {}, {}
    for note in probe.reading:
        if match := re.fullmatch(r"from now on (\w+) (.+)\.", note):
            new[match[1]] = match[2]
        else:
            name, phrase, marker = re.fullmatch(r"(\w+) (.+); lists marked (\w+) get it\.", note).groups()
            old[name], markers[marker] = phrase, name
    return old, old | new, markers


def answer(probe):
    """What somebody replies who has read the notes and knows what the phrases mean."""
    old, new, markers = notes_of(probe)
    words = re.findall(r"\w+", probe.prompt)
    given = "".join(word for word in words if len(word) == 1)
    marked = [markers[word] for word in words if word in markers]
    if not given:
        return marked[0]
    means = old if "old way" in probe.prompt or "before" in words else new
    names = [word for word in words if word in means] or marked
    if "which list" in probe.prompt:
        phrase = means[names[0]]
        if phrase == "steps the last on":
            return " ".join(given[:-1] + moved(given[-1], -1))
        return " ".join(BY_HAND[OPPOSITE.get(phrase, phrase)](given))
    return done(probe.prompt, names, means)


def done(prompt, names, means):
    """What the operators called `names`, in the order of the prompt, make of the list in it."""
    if " after " in prompt or re.search(r"of \w+ of", prompt):
        names = names[::-1]
    lists = ["".join(re.findall(r"\b\w\b", prompt))]
    for name in names:
        lists.append(BY_HAND[means[name]](lists[-1]))
    spelt = [" ".join(each) for each in lists[1:]]
    return f"first {spelt[0]}, then {spelt[1]}" if "both steps" in prompt else spelt[-1]


def test_it_is_a_plug_in():
    assert find("streams", "operators", Family) is Operators


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_notes_suffice_for_every_probe(seed):
    probes = made(seed=seed).probes(seed, 30)
    assert [probe for probe in probes if answer(probe) != probe.gold] == []
    assert all(len(probe.reading) <= 12 for probe in probes)


def test_kinds_and_axes():
    kinds = {probe.kind: probe.axis for probe in made().probes(1, 4)}
    assert kinds == {
        "unseen": "atom", "paraphrase": "atom", "longer": "derived", "inverse": "derived", "cued": "atom",
        "uncued": "derived", "chain": "composition", "chain_explicit": "composition", "chain_three": "composition",
        "order": "composition", "redefined": "adapt", "redefined_paraphrase": "adapt",
        "before_redefinition": "scope", "near": "near", "far": "far",
    }  # fmt: skip


def test_the_same_seed_gives_the_same():
    world = made()
    assert world == made()
    assert world.probes(5, 3) == made().probes(5, 3)
    assert {p.prompt for p in world.probes(5, 3)} != {p.prompt for p in world.probes(6, 3)}


def test_a_lesson_has_the_usual_size_and_each_wording():
    assert len(SAID) + len(ASKED) + len(UNHEARD) >= RENDERINGS
    assert len(UNHEARD) == HELD_OUT
    world = made(items=Operators.items)
    assert all(250 <= len(lesson.examples) <= 500 for lesson in world.lessons)
    operator = world.operators[0]
    for wording in (*SAID, *ASKED, *SAID_MARKED, *ASKED_MARKED):
        pattern = re.escape(wording.replace("{name}", operator.name).replace("{marker}", operator.marker))
        pattern = re.sub(r"\\{\w+\\}", ".+", pattern)
        assert any(re.fullmatch(pattern, row[0]) for row in rows(world)), wording


def test_a_marker_is_shown_as_often_as_a_name_in_as_many_wordings():
    assert (len(SAID), len(ASKED)) == (len(SAID_MARKED), len(ASKED_MARKED))
    world = made(items=Operators.items)
    plain = [row for row in rows(world) if len(names_in(world, row)) == 1]
    for operator in world.operators:
        named, marked = (
            [row for row in plain if word in words(row[0]) and re.search(r"\b\w \w \w\b", row[0])]
            for word in (operator.name, operator.marker)
        )
        if operator.changed < 0:
            assert len(named) == len(marked) >= 12
            assert sum(len(row) == 2 for row in named) == sum(len(row) == 2 for row in marked)


def test_probes_use_unheard_wordings_and_unseen_inputs():
    world = made()
    prompts = {row[0] for row in rows(world)}
    shapes = {re.sub(r"\b(\w( \w)+|\w{6})\b", "#", prompt) for prompt in prompts}
    inputs = {run[0] for prompt in prompts if (run := re.search(r"\b\w(?: \w){2,}\b", prompt))}
    for probe in world.probes(3, 20):
        assert probe.prompt not in prompts
        if probe.kind in {"paraphrase", "redefined_paraphrase"}:
            assert re.sub(r"\b(\w( \w)+|\w{6})\b", "#", probe.prompt) not in shapes
        if probe.kind == "unseen":
            assert re.sub(r"\b(\w( \w)+|\w{6})\b", "#", probe.prompt) in shapes
        if probe.kind != "far":
            assert re.search(r"\b\w(?: \w){2,}\b", probe.prompt)[0] not in inputs


def names_in(world, row):
    """Names of operators in a row, in its order, also where only their markers stand."""
    names = {word: operator.name for operator in world.operators for word in (operator.name, operator.marker)}
    return list(dict.fromkeys(names[word] for word in words(" ".join(row)) if word in names))


@pytest.mark.parametrize(("lessons", "items"), [(3, 8), (2, 4), (1, 3), (1, 2), (2, 1), (1, 256)])
def test_no_row_holds_the_operands_of_a_probe(lessons, items):
    world = made(lessons, items)
    together = [set(names) for row in rows(world) if len(names := names_in(world, row)) > 1]
    asked = [probe for probe in world.probes(1, 60) if probe.kind in COMPOSITIONS]
    for probe in asked:
        operands = {atom.removeprefix("operators:") for atom in probe.atoms}
        assert len(operands) == len(probe.atoms) == (3 if probe.kind == "chain_three" else 2)
        assert not any(set(pair) <= names for pair in itertools.combinations(operands, 2) for names in together)
    within = {(probe.lesson, len(probe.atoms)) for probe in asked if len(probe.parts) == 1}
    stable = Counter(operator.lesson for operator in world.operators if operator.changed < 0)
    assert within == {(lesson, size) for lesson in stable for size in (2, 3) if stable[lesson] >= 2 * size - 1}


@pytest.mark.parametrize(
    ("lessons", "items", "least"), [(3, 8, 16), (1, 256, 16), (1, 3, 3), (1, 2, 3), (4, 4, 3), (2, 1, 0)]
)
def test_operators_are_put_together_as_probes_ask(lessons, items, least):
    world = made(lessons, items)
    home = {operator.name: operator for operator in world.operators}
    shown = [(lesson, *row) for lesson, row in numbered_rows(world) if len(names_in(world, row)) > 1]
    counts = Counter(lesson for lesson, *_ in shown)
    assert all(least <= counts[lesson] <= 24 for lesson in range(lessons))
    means = {name: world_phrase(operator) for name, operator in home.items()}
    templates = {wording: kind for kind, wordings in COMPOSED.items() for wording in wordings}
    kinds = Counter()
    for lesson, prompt, reply in shown:
        names = [word for word in words(prompt) if word in home]
        assert all((home[name].lesson, home[name].changed) == (lesson, -1) for name in names)
        assert reply == done(prompt, names, means)
        kinds.update(kind for wording, kind in templates.items() if shape(wording) == re.sub(SYMBOLS, "#", prompt))
    assert set(kinds) == (COMPOSITIONS if items > 3 else COMPOSITIONS - {"chain_three"} if least else set())


SYMBOLS = r"\b(\w( \w)+|\w{6})\b"


def shape(wording):
    return re.sub(SYMBOLS, "#", wording.format("balori", "dukemi", "sirano", x="m k t"))


def world_phrase(operator):
    return re.match(r"\w+ (.+);", operator.write("{name} {phrase};"))[1]


def test_rivals_are_what_other_operators_give():
    world = made()
    phrases = {note.split()[0]: note.split(" ", 1)[1].split(";")[0] for note in world.lessons[0].notes}
    for probe in world.probes(2, 20):
        assert list(probe.rivals) == sorted({*probe.rivals} - {probe.gold, ""})
        assert len(probe.rivals) >= 3
        assert all(ALLOWED.fullmatch(rival) for rival in probe.rivals)
        if probe.kind == "far":
            assert {*probe.rivals} == {operator.name for operator in world.operators} - {probe.gold}
        own = {probe.key.removeprefix("operators:"), *(atom.removeprefix("operators:") for atom in probe.atoms)}
        given = "".join(re.findall(r"\b\w\b", probe.prompt))
        for name, phrase in phrases.items():
            if name not in own and probe.kind in {"unseen", "uncued", "redefined", "before_redefinition", "longer"}:
                assert " ".join(BY_HAND[phrase](given)) in {probe.gold, *probe.rivals}
            if name not in own and probe.kind == "chain_explicit":
                means = {atom.removeprefix("operators:"): world_phrase(found(world, atom)) for atom in probe.atoms}
                first, last = (atom.removeprefix("operators:") for atom in probe.atoms)
                instead = done(probe.prompt, [first, last], means | {last: phrase})
                assert instead in {probe.gold, *probe.rivals}


def found(world, key):
    return next(operator for operator in world.operators if operator.key == key)


def test_redefined_operators_are_asked_about_in_no_other_way():
    world = made()
    changed = {operator.key for operator in world.operators if operator.changed >= 0}
    assert len(changed) == 4  # a quarter of eight, in each of two later lessons
    for probe in world.probes(2, 40):
        named = {probe.key, *probe.atoms, probe.key.removesuffix(":marker")}
        assert bool(named & changed) == (probe.axis in {"adapt", "scope"})


def test_parts_say_where_operands_were_taught():
    world = made()
    home = {operator.key: operator.lesson for operator in world.operators}
    probes = world.probes(4, 20)
    for probe in probes:
        if probe.kind in COMPOSITIONS:
            assert probe.parts == tuple(sorted({home[atom] for atom in probe.atoms}))
    for kind in COMPOSITIONS:
        across = [len(probe.parts) > 1 for probe in probes if probe.kind == kind and probe.lesson > 0]
        assert 0.3 < sum(across) / len(across) < 0.7


def test_atoms_are_always_drawn():
    for per_kind in (1, 3):
        probes = made().probes(7, per_kind)
        there = {probe.key for probe in probes if probe.axis == "atom"}
        assert {atom for probe in probes for atom in probe.atoms} <= there
        counts = Counter((probe.kind, probe.lesson) for probe in probes if probe.kind != "unseen")
        assert max(counts.values()) <= per_kind


def test_cued_and_uncued_come_in_pairs():
    probes = made().probes(1, 10)
    cued = [(p.key, p.gold, p.parts) for p in probes if p.cue == "cued"]
    assert cued == [(p.key, p.gold, p.parts) for p in probes if p.cue == "uncued"]
    for probe in probes:
        if probe.cue == "uncued":
            assert probe.key.removeprefix("operators:") not in probe.prompt


def test_redefinitions_say_something_new_and_order_matters():
    for probe in made(seed=4).probes(1, 40):
        old, new, _ = notes_of(probe)
        name = probe.key.removeprefix("operators:")
        if probe.axis == "adapt":
            assert old[name] != new[name]
        if probe.kind == "order":
            first, second = (BY_HAND[new[atom.removeprefix("operators:")]] for atom in probe.atoms)
            given = "".join(re.findall(r"\b\w\b", probe.prompt))
            assert first(second(given)) != second(first(given))


def test_answers_are_balanced():
    probes = made(lessons=2, items=96).probes(1, 200)
    for kind in ("unseen", "paraphrase", "longer", "uncued", "redefined", "before_redefinition"):
        which = Counter()
        for probe in (probe for probe in probes if probe.kind == kind):
            given = "".join(re.findall(r"\b\w\b", probe.prompt))
            which.update(phrase for phrase, by_hand in BY_HAND.items() if " ".join(by_hand(given)) == probe.gold)
        assert max(which.values()) <= 2.5 * sum(which.values()) / 12, kind


def test_values_are_what_the_primitives_leave_open():
    for probe in made().probes(1, 20):
        if probe.axis in {"atom", "near"} or probe.kind in {"longer", "uncued"}:
            given = "".join(re.findall(r"\b\w\b", probe.prompt))
            assert probe.values == len({by_hand(given) for by_hand in BY_HAND.values()}) == 12
        assert probe.values >= (4 if probe.axis == "composition" else 8)


def test_options_do_not_tell_the_answer():
    probes = [probe for probe in made(lessons=2, items=48).probes(1, 150) if probe.options]
    for probe in probes:
        assert probe.gold in probe.options
        assert len(set(probe.options)) == 4
        assert len({len(option) for option in probe.options}) == 1
    places = Counter(probe.options.index(probe.gold) for probe in probes)
    assert all(0.2 < places[place] / len(probes) < 0.3 for place in range(4))
    chosen, right = Counter(), Counter()
    for probe in (probe for probe in probes if probe.kind == "unseen"):
        given = "".join(re.findall(r"\b\w\b", probe.prompt))
        by_list = {" ".join(by_hand(given)): phrase for phrase, by_hand in BY_HAND.items()}
        chosen.update(by_list[option] for option in probe.options)
        right[by_list[probe.gold]] += 1
    assert all(right[phrase] / chosen[phrase] < 0.5 for phrase in chosen)


def test_texts_are_plain():
    world = made()
    said = [text for row in rows(world) for text in row] + [note for lesson in world.lessons for note in lesson.notes]
    probes = world.probes(1, 20)
    said += [text for probe in probes for text in (probe.prompt, probe.gold, *probe.options)]
    assert all(ALLOWED.fullmatch(text) for text in said)
    assert all(len(note.split()) <= 15 for lesson in world.lessons for note in lesson.notes)
    invented = {word for operator in world.operators for word in (operator.name, operator.marker)}
    assert len({word for text in said for word in re.findall(r"[a-z]{2,}", text)} - invented) <= 120


@pytest.mark.parametrize(("lessons", "items"), [(1, 1), (1, 2), (2, 1), (1, 4), (2, 2), (8, 3), (1, 256)])
def test_worlds_of_all_sizes(lessons, items):
    world = made(lessons, items)
    probes = world.probes(1, 3)
    assert len(world.lessons) == lessons
    assert all(len(lesson.examples) >= 32 * items for lesson in world.lessons)
    assert [probe for probe in probes if answer(probe) != probe.gold] == []
    assert ("redefined" in {probe.kind for probe in probes}) == (lessons > 1 and items > 1)
    assert (COMPOSITIONS & {probe.kind for probe in probes} != set()) == (lessons > 1 or items > 2)
    if lessons == 8:
        assert sum(operator.changed >= 0 for operator in world.operators) == 7


def test_the_first_operation_of_a_chain_stands_first():
    assert COMPOSED["order"][0].format("balori", "dukemi", x="m k t") == "dukemi after balori on m k t"
    assert COMPOSED["chain"][0].format("balori", "dukemi", x="m k t") == "balori then dukemi on m k t"


def test_lessons_do_not_tell_what_other_lessons_do():
    """A lesson of eight leaves out four of the twelve operations: the next one has a third of its own among these."""
    surprises, again = [], []
    for seed in range(30):
        one, two = ([o for o in made(2, 8, seed).operators if o.lesson == lesson] for lesson in range(2))
        assert len({o.does for o in one}) == len({o.does for o in two}) == 8
        surprises += [other.does not in {o.does for o in one} for other in two]
        again += [o.then in {other.does for other in one} for o in one if o.changed >= 0]
    assert 0.24 < sum(surprises) / len(surprises) < 0.43
    assert 0.45 < sum(again) / len(again) < 0.82  # 7 of 11, since none keeps its own
