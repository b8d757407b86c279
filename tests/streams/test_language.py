"""Worlds of languages in: answers worked out anew from the notes must be the right ones, and nothing may leak, out."""

import itertools
import re
from collections import Counter

import pytest

from everlearn.errors import SettingsError
from everlearn.grade import Reply, check
from everlearn.nonce import Lexicon
from everlearn.plugins import find
from everlearn.streams.contract import Family
from everlearn.streams.language import (
    BRIDGES,
    FORMERLY,
    REVERSE,
    RULE_UNSEEN,
    SPELT_OUT,
    UNSEEN_FORWARD,
    UNSEEN_PARAPHRASE,
    UNSEEN_REVERSE,
    WHICH,
    Language,
)
from everlearn.streams.worlds.invented_grammar import CONSTRUCTIONS, CORE, GLOSSES
from streams.taught import numbered_rows, rows, words

ALLOWED = re.compile(r"[a-z0-9 .,:;?()=]+")
FORMS = (
    (r"more than one (\w+)", "more than one"),
    (r"is it a (\w+)", "a question"),
    (r"do not (\w+)", "not"),
    (r"\bdid (\w+)", "the past"),
    (r"the (\w+) does (\w+) the (\w+)", "the word order"),
    (r"(?<!is it )\ba (\w+) (\w+)", "the adjective"),
)


def made(lessons=3, items=16, seed=1):
    return Language().world(Lexicon(seed), seed, lessons, items)


def answer(probe):
    """What somebody replies who has read the notes and knows what is common to all worlds."""
    old, new, rules = {}, {}, {}
    name, _, prompt = probe.prompt.partition(": ")
    assert all(note.startswith(f"{name}: ") for note in probe.reading)
    for note in (note.removeprefix(f"{name}: ") for note in probe.reading):
        if match := re.fullmatch(r"(\w+) means (\w+)\.", note):
            old[match[2]] = match[1]
        elif match := re.fullmatch(r"from now on (\w+) is (\w+)\.", note):
            new[match[1]] = match[2]
        else:
            topic, rule = note.removesuffix(".").split(": ")
            rules[topic] = rule
    if match := re.fullmatch(r"name the rule for (.+)|which rule is there for (.+)\?", prompt):
        return rules[match[1] or match[2]]
    shown = [gloss for gloss, word in old.items() if word in words(prompt)]
    if shown and probe.kind != "minimal_pair":
        return shown[0]
    for form, topic in FORMS:
        if match := re.search(form, prompt):
            said = say(topic, rules[topic], [old[gloss] for gloss in match.groups()])
            if probe.kind == "minimal_pair":
                return re.search(rf"(first|second) {said}(,|:| or|\?)", prompt)[1]
            bridge = ", ".join(f"{gloss} is {old[gloss]}" for gloss in match.groups())
            return f"{bridge}, so {said}" if probe.explicit else said
    (gloss,) = set(old) & set(words(prompt))
    return old[gloss] if re.search(r"\b(old|before)\b", prompt) else (old | new)[gloss]


def say(topic, rule, spoken):
    if topic == "the word order":
        return " ".join(dict(zip(("subject", "verb", "object"), spoken, strict=True))[place] for place in rule.split())
    if topic == "the adjective":
        return " ".join(spoken if rule.startswith("before") else reversed(spoken))
    particle, side, *_ = rule.split()
    return f"{particle} {spoken[0]}" if side == "before" else f"{spoken[0]} {particle}"


def test_it_is_a_family():
    assert find("streams", "language", Family) is Language


def test_no_gloss_is_a_word_of_the_wordings():
    world = made(1, 1)
    texts = [text for texts in rows(world) for text in texts] + [probe.prompt for probe in world.probes(1, 99)]
    texts += [*SPELT_OUT, *WHICH, *FORMERLY, *UNSEEN_REVERSE, *(form.english for form in CONSTRUCTIONS.values())]
    glosses = {gloss for kind in GLOSSES.values() for gloss in kind} - {world.words[0].gloss}
    assert not glosses & {word for text in texts for word in words(text)}


def test_the_same_arguments_make_the_same_world_and_probes():
    one, other = made(), made()
    assert one == other
    assert one.probes(5, 4) == other.probes(5, 4)
    assert {p.prompt for p in one.probes(5, 4)} != {p.prompt for p in one.probes(6, 4)}


@pytest.mark.parametrize(
    ("lessons", "items"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 16), (8, 4), (8, 16), (12, 8), (1, 256)]
)
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


def test_each_word_is_taught_in_eight_wordings():
    world = made(3)
    for lesson, taught in enumerate(world.lessons):
        own = [word for word in world.words if lesson in (word.lesson, word.respelt_in)]
        assert len(own) == 16 + (4 if lesson else 0)
        texts = [" ".join(message.content for message in row.messages) for row in taught.examples]
        alone = [text for text in texts if not any(re.search(form, text) for form, _ in FORMS)]
        for word in own:
            name = word.word if word.lesson == lesson else word.respelt
            assert len([text for text in alone if name in words(text)]) == 8
        assert 140 <= len(texts) <= 400


def _particles(world):
    return {rule.particle for rule in world.rules} - {""}


def test_no_lesson_uses_the_wordings_of_probes():
    held = (UNSEEN_FORWARD, UNSEEN_PARAPHRASE, *UNSEEN_REVERSE, *RULE_UNSEEN, *WHICH, *FORMERLY)
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(wording)) for wording in held]
    prompts = [texts[0].split(": ", 1)[1] for texts in rows(made(8)) if len(texts) == 2]
    assert not any(re.fullmatch(pattern, prompt) for prompt in prompts for pattern in patterns)


def test_half_of_the_words_are_never_asked_for_from_english():
    world = made(3)
    backward = {texts[1] for texts in rows(world) if len(texts) == 2}
    only = {word.word for word in world.words if word.role == "forward"}
    assert not only & {word for text in backward for word in words(text)}
    assert 0.4 < len(only) / len([word for word in world.words if not word.respelt]) < 0.6
    assert {probe.gold for probe in world.probes(1, 99) if probe.kind == "reverse"} == only


@pytest.mark.parametrize("seed", range(3))
def test_no_row_holds_two_operands_of_a_composition(seed):
    world = made(8, 16, seed)
    invented = {thing.key: thing.word for thing in world.words}
    invented |= {rule.key: rule.particle for rule in world.rules if rule.particle}
    texts = [set(words(" ".join(texts))) for texts in rows(world)]
    together = {pair for text in texts for pair in itertools.combinations(sorted(text & {*invented.values()}), 2)}
    probes = [probe for probe in world.probes(seed, 40) if probe.axis == "composition"]
    assert {probe.kind for probe in probes} == {
        *("sentence", "sentence_explicit", "sentence_within", "sentence_within_explicit")
    }
    for probe in probes:
        operands = sorted({invented[key] for key in probe.atoms if key in invented})
        assert not together & set(itertools.combinations(operands, 2))


def matching(prompt, wordings):
    """The English in a prompt that has one of the wordings."""
    for wording in wordings:
        if match := re.fullmatch(re.escape(wording).replace(r"\{g\}", "(.+)"), prompt):
            return match[1]
    return ""


@pytest.mark.parametrize(("lessons", "items", "seed"), [(2, 16, 0), (6, 16, 1), (6, 16, 2), (1, 256, 3)])
def test_lessons_with_rules_spell_phrases_out_in_the_wordings_of_compositions(lessons, items, seed):
    world = made(lessons, items, seed)
    spelling = {word.gloss: word for word in world.words}
    rules = {rule.construction.topic: rule for rule in world.rules}
    counts, shown = Counter(), set()
    for lesson, texts in numbered_rows(world):
        if not (english := matching(texts[0].removeprefix(f"{world.name}: "), SPELT_OUT)):
            continue
        topic, glosses = next((topic, m.groups()) for form, topic in FORMS if (m := re.search(form, english)))
        assert rules[topic].lesson == lesson
        assert all((spelling[gloss].lesson, spelling[gloss].respelt) == (lesson, "") for gloss in glosses)
        spoken = [spelling[gloss].word for gloss in glosses]
        bridge = ", ".join(f"{gloss} is {word}" for gloss, word in zip(glosses, spoken, strict=True))
        assert texts[1] == f"{bridge}, so {say(topic, rules[topic].answer, spoken)}"
        counts[lesson] += 1
        shown.add(frozenset((*(spelling[gloss].key for gloss in glosses), rules[topic].key)))
    assert max(counts.values()) <= BRIDGES
    assert len(counts) >= lessons - 1, "a rule may find no shown word"
    assert sum(counts.values()) >= (32 if lessons == 2 else 4 * len(counts))
    probes = [probe for probe in world.probes(1, 60) if probe.axis == "composition"]
    assert probes
    assert not {frozenset(probe.atoms) for probe in probes} & shown
    for probe in probes:
        assert matching(probe.prompt.removeprefix(f"{world.name}: "), SPELT_OUT if probe.explicit else REVERSE)


def test_rivals_hold_other_words_or_rules_in_one_place():
    world = made(2)
    glosses = {word.gloss for word in world.words}
    names = {name for word in world.words for name in (word.word, word.respelt) if name}
    invented = names | _particles(world)
    for probe in world.probes(1, 12):
        right = probe.reply or probe.gold
        assert probe.rivals == tuple(sorted(set(probe.rivals) - {right}))
        if probe.kind in ("to_english", "paraphrase"):
            assert set(probe.rivals) == glosses - {right}
        elif probe.kind in ("to_language", "reverse", "reform", "before_reform", "near"):
            own = next({word.word, word.respelt} for word in world.words if word.key == probe.key)
            assert set(probe.rivals) == names - own
        elif probe.kind in ("rule", "far"):
            assert set(probe.rivals) == {rule.answer for rule in world.rules} - {right}
        elif probe.axis == "composition":
            assert probe.rivals
            said = right.split(", so ")[-1]
            for rival in probe.rivals:
                other = rival.split(", so ")[-1]
                assert set(words(other)) <= invented
                assert len(set(words(said)) - set(words(other))) == 1
        else:
            assert probe.kind == "minimal_pair"
            assert probe.rivals == ()


def test_sentences_take_words_from_other_lessons_than_the_rule():
    world = made(4)
    lesson = {thing.key: thing.lesson for thing in (*world.words, *world.rules)}
    for probe in world.probes(1, 40):
        if probe.axis == "composition":
            *spoken, rule = (lesson[key] for key in probe.atoms)
            assert probe.parts == tuple(sorted({*spoken, rule}))
            assert (rule in spoken) == probe.kind.startswith("sentence_within")


def test_a_respelt_word_is_only_asked_for_as_respelt():
    world = made(8)
    respelt = {word.key for word in world.words if word.respelt}
    assert len(respelt) == 7 * 4
    for probe in world.probes(1, 50):
        assert not respelt & {probe.key, *probe.atoms} or probe.axis in ("adapt", "scope")
        assert probe.key in respelt or probe.axis not in ("adapt", "scope")


def test_probes_are_no_more_than_asked_for_and_atoms_of_compositions_stand_beside_them():
    probes = made(3).probes(1, 3)
    counts = Counter((probe.kind, probe.lesson) for probe in probes if probe.kind not in ("to_language", "rule"))
    assert max(counts.values()) == 3
    assert {kind for kind, _ in counts} == {
        *("to_english", "paraphrase", "reverse", "minimal_pair", "sentence", "sentence_explicit", "sentence_within"),
        *("sentence_within_explicit", "reform", "before_reform", "near", "far"),
    }
    assert all(set(probe.atoms) <= {p.key for p in probes if p.axis == "atom"} for probe in probes)


def test_more_words_than_glosses_are_refused():
    with pytest.raises(SettingsError, match="2 lessons of 200 words are more than there are glosses") as error:
        made(2, 200)
    assert "297" in error.value.hint


def test_usual_worlds_draw_from_the_core():
    core = {gloss for speech, glosses in GLOSSES.items() for gloss in glosses[: CORE[speech]]}
    assert {word.gloss for word in made(4).words} <= core
    assert len({word.gloss for word in made(1, 256).words}) == 256


def test_minimal_pairs_and_ways_are_balanced():
    worlds = [made(2, 16, seed) for seed in range(30)]
    golds = Counter(probe.gold for world in worlds for probe in world.probes(1, 10) if probe.kind == "minimal_pair")
    assert 0.4 < golds["first"] / golds.total() < 0.6
    ways = Counter(rule.way for world in worlds for rule in world.rules if rule.name != "order")
    assert 0.4 < ways["before"] / ways.total() < 0.6


def test_options_alone_do_not_tell_the_right_one():
    probes = [probe for seed in range(4) for probe in made(4, 16, seed).probes(1, 40) if probe.options]
    assert all(len(set(probe.options)) == 4 and probe.gold in probe.options for probe in probes)
    place = Counter(probe.options.index(probe.gold) for probe in probes)
    assert all(0.2 < place[at] / len(probes) < 0.3 for at in range(4))
    for axes in (("atom", "derived"), ("adapt", "scope")):
        chosen = [probe for probe in probes if probe.axis in axes]
        offered = Counter(option for probe in chosen for option in probe.options)
        right = sum(max(probe.options, key=lambda name: offered[name]) == probe.gold for probe in chosen)
        assert right / len(chosen) < 0.37


def test_an_explicit_reply_must_end_with_the_right_sentence():
    probe = next(probe for probe in made().probes(1, 4) if probe.kind == "sentence_explicit")
    bridge, said = probe.reply.split(", so ")
    assert check(probe.grade, probe.gold, Reply(probe.reply, True, 9))
    assert not check(probe.grade, probe.gold, Reply(f"{bridge}, so {' '.join(reversed(said.split()))}", True, 9))


def test_texts_are_small_letters_and_plain_punctuation():
    world = made(4)
    texts = [text for texts in rows(world) for text in texts]
    texts += [text for probe in world.probes(1, 9) for text in (probe.prompt, probe.reply or probe.gold)]
    assert all(ALLOWED.fullmatch(text) for text in texts)
    invented = {name for word in world.words for name in (word.word, word.respelt)} | _particles(world)
    assert len({word for text in texts for word in words(text)} - invented) <= 160


def test_values_are_those_of_somebody_who_knows_all_other_lessons():
    world = made(4)
    things = {thing.key: thing for thing in (*world.words, *world.rules)}
    ways = {"plural": 2, "question": 2, "negation": 2, "past": 2, "adjective": 2, "order": 6}
    seen = set()
    for probe in world.probes(1, 40):
        if probe.axis != "composition":
            continue
        new = [things[key] for key in probe.atoms if things[key].lesson == probe.lesson]
        names = sum(probe.lesson in (word.lesson, word.respelt_in) for word in world.words)
        names += sum(bool(rule.particle) for rule in world.rules if rule.lesson == probe.lesson)
        expected = 1
        for thing in new:
            invented = thing in world.words or thing.particle
            expected *= (1 if thing in world.words else ways[thing.name]) * (names if invented else 1)
            names -= bool(invented)
        assert probe.values == expected
        if len(new) == 1 and new[0] in world.rules and not new[0].particle:
            seen.add(probe.values)
    for probe in world.probes(1, 40):
        if probe.kind == "to_english":
            assert probe.values == 80 - 48
    assert seen <= {2, 6}


def test_a_new_order_of_known_words_leaves_the_orders_alone():
    found = Counter()
    for seed in range(12):
        world = made(3, 16, seed)
        rules = {rule.key: rule for rule in world.rules if not rule.particle and rule.lesson}
        for probe in world.probes(1, 20):
            rule = rules.get(probe.atoms[-1]) if probe.atoms else None
            known = {word.key for word in world.words if rule and word.lesson < rule.lesson}
            if rule and probe.lesson == rule.lesson and set(probe.atoms[:-1]) <= known:
                found[rule.name, probe.values] += 1
    assert set(found) == {("adjective", 2), ("order", 6)}
