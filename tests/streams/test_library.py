"""Worlds of libraries in: calls worked out anew from the notes must be the right ones, and nothing may leak, out."""

import functools
import json
import re
from collections import Counter

import pytest

from everlearn.grade import Reply, check
from everlearn.nonce import Lexicon
from everlearn.plugins import find
from everlearn.streams.contract import HELD_OUT, RENDERINGS, Family
from everlearn.streams.library import Library
from everlearn.streams.worlds.api_functions import ASKED, INTENTS, MEANING, PHRASINGS, SAID, UNHEARD
from everlearn.streams.worlds.nested_calls import NESTED as ONE_CALL
from everlearn.streams.worlds.nested_calls import STEPS
from streams.taught import numbered_rows, rows, words

ALLOWED = re.compile(r"[a-z0-9 .,:;?()=]+")
NESTED = {"nested", "nested_explicit"}
ARGUMENT = r"(\([\d, ]+\)|\d+|it)"

BY_HAND = {
    "take": lambda x, n: x[:n],
    "drop": lambda x, n: x[n:],
    "last": lambda x, n: x[len(x) - n :],
    "pick": lambda x, n: x[n - 1],
    "append": lambda x, n: [*x, n],
    "prepend": lambda x, n: [n, *x],
    "add": lambda x, n: [each + n for each in x],
    "remove": lambda x, n: [each for each in x if each != n],
    "find": lambda x, n: [each == n for each in x].index(True) + 1,
    "turn": lambda x, n: x[n:] + x[:n],
    "subtract": lambda a, b: a - b,
    "count": lambda a, b: list(range(a, b + 1)),
}


def made(lessons=3, items=8, seed=1):
    return Library().world(Lexicon(seed), seed, lessons, items)


def shown(value):
    return f"({', '.join(map(str, value))})" if isinstance(value, list) else str(value)


@functools.cache
def asked(text):
    """The operation that a text asks for, and its arguments in their own order."""
    found = []
    for operation, wanted in INTENTS.items():
        for wording in (wanted.intent, *wanted.also, wanted.unheard):
            marks = re.findall(r"\{(\d)\}", wording)
            pattern = re.sub(r"\\\{\d\\\}", lambda _: ARGUMENT, re.escape(wording))
            if match := re.search(rf"(?<![\w(]){pattern}(?!\w)", text):
                found.append((operation, [match[marks.index(place) + 1] for place in "01"]))
    assert len(found) == 1, (text, found)
    return found[0]


def notes_of(probe):
    """By module and operation, the name and whether the arguments are turned round: at first, and in version 2."""
    versions = ({}, {})
    for note in probe.reading:
        module, name, roles, plain = re.fullmatch(
            r"(?:in )?(\w+) (?:has|v2, \w+ is now) (\w+)\(([\w, ]+)\): (.+)\.", note
        ).groups()
        operation, _ = asked(re.sub(r"\blist\b", "(9, 9)", re.sub(r"\b(number|a|b)\b", "9", plain)))
        versions[" v2, " in note][module, operation] = (name, roles in {"number, list", "b, a"})
    return versions


def call(known, module, operation, arguments):
    name, turned = known[module, operation]
    return f"{name}({', '.join(arguments[::-1] if turned else arguments)})"


def nested(known, prompt, explicit):
    one, first, two, second = re.fullmatch(r".+: in (\w+) (.+), then in (\w+) (.+)", prompt).groups()
    inner = call(known, one, *asked(first))
    operation, arguments = asked(second)
    whole = call(known, two, operation, [inner if argument == "it" else argument for argument in arguments])
    return f"first {inner}, then {whole}" if explicit else whole


def answer(probe):
    """What somebody replies who has read the notes and knows what people ask for."""
    old, new = notes_of(probe)
    known = old if " v1" in probe.prompt else old | new
    if probe.kind in NESTED:
        return nested(known, probe.prompt, probe.explicit)
    module = next(word for word in re.findall(r"\w+", probe.prompt) if word in {module for module, _ in known})
    if probe.kind in {"result", "far"}:
        name, inside = re.search(r"(\w+)\((.+)\)(?:\?| do| give)", probe.prompt).groups()
        operation = next(operation for (_, operation), (known_name, _) in known.items() if known_name == name)
        arguments = re.findall(ARGUMENT, inside)
        if known[module, operation][1]:
            arguments.reverse()
        if probe.kind == "far":
            return INTENTS[operation].intent.format(*arguments)
        return shown(BY_HAND[operation](*(json.loads(each.replace("(", "[").replace(")", "]")) for each in arguments)))
    if probe.kind == "spot_wrong":
        _, intent, calls = re.split(r"\? |: ", probe.prompt)
        right = call(known, module, *asked(intent))
        one, two = calls.split("; ")
        assert (one == right) != (two == right)
        return "second" if one == right else "first"
    return call(known, module, *asked(probe.prompt))


def right(probe, reply):
    if probe.grade == "exact":
        return reply == probe.gold
    return check(probe.grade, probe.gold, Reply(reply, True, 9))


def test_it_is_a_plug_in():
    assert find("streams", "library", Family) is Library


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_notes_suffice_for_every_probe(seed):
    probes = made(seed=seed).probes(seed, 30)
    assert [probe for probe in probes if not right(probe, answer(probe))] == []
    assert all(answer(probe) == probe.reply for probe in probes if probe.grade != "exact")
    assert all(len(probe.reading) <= 12 for probe in probes)


def test_kinds_and_axes():
    kinds = {(probe.kind, probe.axis, probe.grade) for probe in made().probes(1, 6)}
    assert kinds == {
        ("call", "atom", "exact"),
        ("call_paraphrase", "atom", "evaluates"),
        ("result", "derived", "exact"),
        ("spot_wrong", "derived", "exact"),
        ("nested", "composition", "evaluates"),
        ("nested_explicit", "composition", "exact"),
        ("renamed", "adapt", "exact"),
        ("swapped", "adapt", "exact"),
        ("in_v1", "scope", "exact"),
        ("near", "near", "exact"),
        ("far", "far", "exact"),
    }


def test_wrong_calls_do_not_evaluate():
    for probe in made(seed=5).probes(1, 30):
        if probe.grade == "evaluates":
            wanted = json.loads(probe.gold)
            turned = {name: [operation, order[::-1]] for name, (operation, order) in wanted["functions"].items()}
            assert right(probe, f" {probe.reply.replace('(', ' ( ')}")
            assert not right(probe, wanted["value"])
            assert not check("evaluates", json.dumps(wanted | {"functions": turned}), Reply(probe.reply, True, 9))
            assert not right(probe, probe.reply.replace(wanted["uses"][0], "zozozo"))
            assert not check(
                "evaluates", json.dumps(wanted | {"uses": [*wanted["uses"], "x"]}), Reply(probe.reply, True, 9)
            )
            if probe.kind == "nested":
                other_way = json.dumps(wanted | {"uses": wanted["uses"][::-1]})
                assert not check("evaluates", other_way, Reply(probe.reply, True, 9))


def test_the_same_seed_gives_the_same():
    world = made()
    assert world == made()
    assert world.probes(5, 3) == made().probes(5, 3)
    assert {p.prompt for p in world.probes(5, 3)} != {p.prompt for p in world.probes(6, 3)}


def test_a_lesson_has_the_usual_size_and_each_wording():
    assert len(SAID) + len(ASKED) + len([MEANING]) + len(UNHEARD) >= RENDERINGS
    assert len(UNHEARD) == HELD_OUT
    world = made(items=Library.items)
    assert all(220 <= len(lesson.examples) <= 420 for lesson in world.lessons)
    for entry in world.entries[:3]:
        own = [row for row in rows(world) if re.search(rf"\b{entry.name}\b", " ".join(row))]
        assert len(own) >= 26
        texts = [row[0] for row in own]
        for wording in (*SAID, *ASKED, MEANING):
            for phrasing in range(PHRASINGS if "{intent}" in wording else 1):
                shape = re.escape(entry.write(wording, ("9", "9"), phrasing)).replace("9", ARGUMENT)
                assert any(re.fullmatch(shape, text) for text in texts), shape
        assert all(entry.module in row[0] for row in own)


def test_modules_grow_from_lesson_to_lesson():
    for lessons, items in [(1, 8), (2, 8), (3, 8), (8, 8), (12, 8), (4, 5), (5, 11), (6, 15), (2, 128), (3, 24)]:
        entries = made(lessons, items).entries
        sizes = Counter(entry.module for entry in entries)
        assert max(sizes.values()) <= 12
        assert len(sizes) <= max(2, -(-lessons * items // 8))
        assert len({(entry.module, entry.function.operation) for entry in entries}) == lessons * items
        assert len({entry.name for entry in entries} | set(sizes)) == lessons * items + len(sizes)
        for lesson in range(lessons):
            added = Counter(entry.module for entry in entries if entry.lesson == lesson)
            assert len(added) >= 2
            assert max(added.values()) - min(added.values()) <= 1
            assert items != 8 or min(added.values()) == 4
        if lessons > 1:
            assert all(len({entry.lesson for entry in entries if entry.module == module}) > 1 for module in sizes)


def test_it_takes_the_name_of_the_module_to_know_the_function():
    for lessons in (2, 3, 4):
        entries = made(lessons).entries
        counts = Counter(entry.function.operation for entry in entries)
        alone = [entry for entry in entries if counts[entry.function.operation] == 1]
        assert len(alone) <= len(entries) / 8
        for lesson in range(lessons):
            assert len({entry.function.operation for entry in entries if entry.lesson == lesson}) == 8


def test_values_are_what_all_other_lessons_leave_open():
    world = made()
    by_key = {entry.key: entry for entry in world.entries}
    for probe in world.probes(3, 20):
        chosen = [by_key[key] for key in probe.atoms or (probe.key,)]
        new = [entry for entry in chosen if entry.lesson == probe.lesson]
        module = [entry for entry in world.entries if entry.module == chosen[0].module]
        added = [entry for entry in module if entry.lesson == chosen[0].lesson]
        assert len(added) == 4
        if probe.kind in {"call", "call_paraphrase", "near"}:
            assert probe.values == 8
        if probe.axis == "adapt":
            assert probe.values == 4
        if probe.kind in {"result", "far"}:
            known = {entry.function.operation for entry in module if entry not in added}
            assert probe.values == 10 - len(known - {"subtract", "count"})
            assert 6 <= probe.values <= 10
        if probe.kind in NESTED:
            assert probe.values == (8 if len(new) == 1 else 48 if new[0].module == new[1].module else 64)
        if probe.kind == "spot_wrong":
            names = re.findall(r"(\w+)\(", probe.prompt)
            assert {entry.name for entry in added} >= set(names)


def test_probes_use_unheard_wordings_and_unseen_arguments():
    world = made()
    lesson_rows = rows(world)
    said = "\n".join(text for row in lesson_rows for text in row)
    for wanted in INTENTS.values():
        pattern = re.sub(r"\\\{\d\\\}", lambda _: ARGUMENT, re.escape(wanted.unheard))
        assert not re.search(rf"(?<![\w(]){pattern}(?!\w)", said)
    taught = {row[0] for row in lesson_rows}
    shapes = {re.sub(r"\(.+?\)|\d+", "#", text) for text in taught}
    used = [
        str(asked(row[0]))
        for row in lesson_rows
        if len(row) == 2 and "what does" not in row[0] and ", then in" not in row[0]
    ]
    for probe in world.probes(3, 20):
        assert probe.prompt not in taught
        if probe.kind in {"call", "renamed", "swapped", "near"}:
            assert re.sub(r"\(.+?\)|\d+", "#", probe.prompt) in shapes
            assert str(asked(probe.prompt)) not in used


def names_in(world, row):
    """Names of functions in a row, the same for both versions of one."""
    names = {name: entry.name for entry in world.entries for name in (entry.name, entry.then)}
    return {names[word] for word in words(" ".join(row)) if word in names}


@pytest.mark.parametrize(("lessons", "items"), [(3, 8), (2, 4), (1, 3), (1, 2), (2, 1), (1, 256)])
def test_no_row_holds_the_operands_of_a_probe(lessons, items):
    world = made(lessons, items)
    together = [names for row in rows(world) if len(names := names_in(world, row)) > 1]
    assert all(names_in(world, row) for row in rows(world))
    asked_for = [probe for probe in world.probes(1, 60) if probe.kind in NESTED]
    for probe in asked_for:
        operands = {atom.removeprefix("library:") for atom in probe.atoms}
        assert len(operands) == 2
        assert not any(operands <= names for names in together)
    within = {probe.lesson for probe in asked_for if len(probe.parts) == 1}
    stable = Counter(entry.lesson for entry in world.entries if entry.changed < 0)
    assert within == {lesson for lesson in stable if stable[lesson] > 2}


@pytest.mark.parametrize(
    ("lessons", "items", "least"), [(3, 8, 16), (1, 256, 16), (1, 3, 3), (1, 2, 3), (4, 4, 3), (2, 1, 0)]
)
def test_functions_are_put_together_as_probes_ask(lessons, items, least):
    world = made(lessons, items)
    by_name = {entry.name: entry for entry in world.entries}
    known = {(e.module, e.function.operation): (e.name, e.function.order == (1, 0)) for e in world.entries}
    shown = [(lesson, *row) for lesson, row in numbered_rows(world) if len(names_in(world, row)) > 1]
    counts = Counter(lesson for lesson, *_ in shown)
    assert all(least <= counts[lesson] <= 24 for lesson in range(lessons))
    starts = {wording.split(" in ")[0]: wording in STEPS for wording in (*ONE_CALL, *STEPS)}
    explicit = [starts[prompt.split(" in ")[0]] for _, prompt, _ in shown]
    for (lesson, prompt, reply), spelt in zip(shown, explicit, strict=True):
        assert all((by_name[name].lesson, by_name[name].changed) == (lesson, -1) for name in names_in(world, [reply]))
        assert reply == nested(known, prompt, spelt)
    assert set(explicit) == ({True, False} if least else set())


def test_rivals_are_what_other_functions_give():
    world = made()
    by_name = {name: entry for entry in world.entries for name in (entry.name, entry.then)}
    for probe in world.probes(2, 20):
        correct = probe.reply or probe.gold
        assert list(probe.rivals) == sorted({*probe.rivals} - {correct})
        assert all(ALLOWED.fullmatch(rival) for rival in probe.rivals)
        operands = {key.removeprefix("library:") for key in probe.atoms or (probe.key,)}
        if probe.kind in {"call", "call_paraphrase", "renamed", "swapped", "in_v1", "near"}:
            names = {rival.split("(")[0] for rival in probe.rivals}
            assert names == {name for name in by_name if name} - {
                name for one in operands for name in (one, by_name[one].then)
            }
            assert all("((" in rival or rival.count("(") == 1 or ", (" in rival for rival in probe.rivals)
        if probe.grade == "evaluates":
            assert not any(right(probe, rival) for rival in probe.rivals)
        if probe.kind in NESTED:
            assert len(probe.rivals) >= 40
            for rival in probe.rivals:
                one, *two = re.findall(r"[a-z]{6}", rival.split("then ")[-1])
                assert len({one, *two} & operands) == 1
        if probe.kind == "result":
            assert len(probe.rivals) == 9
        assert (probe.kind == "spot_wrong") == (probe.rivals == ())


def test_changed_functions_are_asked_about_in_no_other_way():
    world = made()
    changed = {entry.key: entry for entry in world.entries if entry.changed >= 0}
    assert len(changed) == 4
    assert Counter(entry.kind for entry in changed.values()) == {"renamed": 2, "swapped": 2}
    for probe in world.probes(2, 40):
        assert bool({probe.key, *probe.atoms} & set(changed)) == (probe.axis in {"adapt", "scope"})
        if probe.axis == "adapt":
            entry = changed[probe.key]
            assert probe.kind == entry.kind
            assert probe.parts == (entry.changed,)
            (name, turned), (then, turned_then) = (
                version[entry.module, entry.function.operation] for version in notes_of(probe)
            )
            assert (name != then, turned != turned_then) == (probe.kind == "renamed", probe.kind == "swapped")
            assert probe.gold.startswith(f"{then}(")


def test_parts_say_where_operands_were_taught():
    world = made()
    home = {entry.key: entry.lesson for entry in world.entries}
    probes = [probe for probe in world.probes(4, 20) if probe.kind in NESTED]
    assert all(probe.parts == tuple(sorted({home[atom] for atom in probe.atoms})) for probe in probes)
    for kind in NESTED:
        across = [len(probe.parts) > 1 for probe in probes if probe.kind == kind and probe.lesson > 0]
        assert 0.3 < sum(across) / len(across) < 0.7


def test_atoms_are_always_drawn():
    for per_kind in (1, 3):
        probes = made().probes(7, per_kind)
        there = {probe.key for probe in probes if probe.axis == "atom"}
        assert {atom for probe in probes for atom in probe.atoms} <= there
        counts = Counter((probe.kind, probe.lesson) for probe in probes if probe.kind != "call")
        assert max(counts.values()) <= per_kind


def test_answers_are_balanced():
    world = made(lessons=2, items=96)
    probes = world.probes(1, 192)
    by_name = {entry.name: entry for entry in world.entries}
    for kind in ("call", "near", "in_v1"):
        calls = [by_name[re.match(r"\w+", probe.gold)[0]] for probe in probes if probe.kind == kind]
        assert max(Counter(entry.name for entry in calls).values()) <= 2.5 * len(calls) / len({e.name for e in calls})
        assert 0.25 < sum(entry.function.order == (1, 0) for entry in calls) / len(calls) < 0.75  # of 48 at least
        assert max(Counter(entry.function.operation for entry in calls).values()) <= 2.5 * len(calls) / 12
    verdicts = Counter(probe.gold for probe in probes if probe.kind == "spot_wrong")
    assert verdicts == {"first": 192, "second": 192}
    operations = Counter(
        by_name[re.search(r"(\w+)\(", p.prompt)[1]].function.operation for p in probes if p.kind == "result"
    )
    assert max(operations.values()) <= 2.5 * sum(operations.values()) / 10


def test_spot_wrong_does_not_show_in_the_calls():
    """A call is as often right with the list first as with the number first."""
    probes = [probe for probe in made(lessons=1, items=96).probes(1, 400) if probe.kind == "spot_wrong"]
    turned = []
    for probe in probes:
        one, two = re.split(r": ", probe.prompt)[1].split("; ")
        wrong = one if probe.gold == "first" else two
        turned.append("((" in wrong)
    assert 0.3 < sum(turned) / len(turned) < 0.7


def test_result_arguments_leave_all_operations_open():
    for probe in made().probes(1, 20):
        if probe.kind == "result":
            numbers = [
                json.loads(each.replace("(", "[").replace(")", "]")) for each in re.findall(ARGUMENT, probe.prompt)
            ]
            entries, number = sorted(numbers, key=lambda each: isinstance(each, int))
            results = {shown(BY_HAND[operation](entries, number)) for operation in list(INTENTS)[:10]}
            assert len(results) == 10


def test_options_do_not_tell_the_answer():
    probes = [probe for probe in made(lessons=2, items=48).probes(1, 150) if probe.options]
    for probe in probes:
        assert probe.gold in probe.options
        assert len({len(option) for option in probe.options}) == 1
        assert sorted(Counter(re.match(r"\w+", option)[0] for option in probe.options).values()) == [2, 2]
        assert sorted(Counter(re.search(r"\(.+", option)[0] for option in probe.options).values()) == [2, 2]
    places = Counter(probe.options.index(probe.gold) for probe in probes)
    assert all(0.2 < places[place] / len(probes) < 0.3 for place in range(4))


def test_texts_are_plain():
    world = made()
    said = [text for row in rows(world) for text in row] + [note for lesson in world.lessons for note in lesson.notes]
    probes = world.probes(1, 20)
    said += [
        text for p in probes for text in (p.prompt, p.reply, *p.options, *([p.gold] if p.grade == "exact" else []))
    ]
    assert all(ALLOWED.fullmatch(text) for text in said if text)
    assert all(len(note.split()) <= 15 for lesson in world.lessons for note in lesson.notes)
    invented = {word for entry in world.entries for word in (entry.name, entry.module, entry.then)}
    assert len({word for text in said for word in re.findall(r"[a-z]{2,}", text)} - invented) <= 120


@pytest.mark.parametrize(("lessons", "items"), [(1, 1), (1, 2), (2, 1), (1, 4), (2, 2), (8, 3), (1, 256)])
def test_worlds_of_all_sizes(lessons, items):
    world = made(lessons, items)
    probes = world.probes(1, 3)
    assert len(world.lessons) == lessons
    assert all(len(lesson.examples) >= 26 * items for lesson in world.lessons)
    assert [probe for probe in probes if not right(probe, answer(probe))] == []
    assert ("in_v1" in {probe.kind for probe in probes}) == (lessons > 1 and items > 1)
    assert all(probe.chance < 1 for probe in probes)
    assert max(Counter(entry.module for entry in world.entries).values()) <= 12
    assert len({(entry.module, entry.function.operation) for entry in world.entries}) == lessons * items
