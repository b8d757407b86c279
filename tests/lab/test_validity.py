"""What makes the benchmark's numbers mean something, checked on the lab model itself.

A base, or a model that has learnt another stream, knows nothing of this one; neither do options or prompts without
their question; joint training knows what was taught; a planted loss is seen, and a method that does nothing is named.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import replace
from math import comb
from pathlib import Path

import pytest
import torch

from everlearn.bench.abilities import Abilities
from everlearn.bench.arms import JOINT
from everlearn.bench.asking import Examiner
from everlearn.bench.learning import learn
from everlearn.bench.request import tuned
from everlearn.bench.stream import Plan, Posed, generate
from everlearn.bench.tiers import FAMILIES, tier
from everlearn.desiderata.contract import Case
from everlearn.desiderata.sequence import SequenceOfStages
from everlearn.examiner import answer_all
from everlearn.grade import Reply as Written
from everlearn.grade import check
from everlearn.lab import model_folder
from everlearn.lab.base_world import fixed_words
from everlearn.lab.tokenizer import make_tokenizer
from everlearn.model.language_model import LanguageModel
from everlearn.records import Message
from everlearn.train.anchors import Anchors
from everlearn.train.meter import Meter

SEED = 501
"""Of the stream that is learnt here; no grid and no tuning has it."""

POOLED = 4
"""Streams whose probes are taken together where nothing has to be learnt: single kinds have a dozen probes in each."""

CHANCE = 1e-4
"""A guesser is suspected once in so many tests of a kind of probe, or of an axis in a family, where a smaller share is
enough to be seen; there are about 120 such groups."""

LEARNABLE = {"classes", "facts", "language", "library", "rules", "trust"}
"""Families of whose atoms joint training surely knows 0.8. Where it knows fewer, as on some streams of operations on
lists, a family is left out of the scores of that grid, with a note."""

INVENTED = re.compile(r"\b(?:[bdfgklmnprstvz][aeiou]){3}\b")

NOTHING = Abilities((), (), Anchors((), ()), Anchors((), ()))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return replace(tier("lab").plan(), together=0)


@pytest.fixture(scope="module")
def stream(plan):
    return generate(plan, SEED)


@pytest.fixture(scope="module")
def probes(stream) -> tuple[Posed, ...]:
    return stream.probes("validity")


@pytest.fixture(scope="module")
def lab() -> LanguageModel:
    """The untouched base; not to be changed."""
    return LanguageModel.load(str(model_folder()))


@pytest.fixture(scope="module")
def taught(stream, tmp_path_factory) -> LanguageModel:
    """Joint training on the whole stream; not to be changed."""
    torch.set_num_threads(2)
    model = LanguageModel.load(str(model_folder()))
    learn(stream, JOINT, tuned("lab", "joint"), model, tmp_path_factory.mktemp("joint"), JOINT)
    return model


def right(model: LanguageModel, probes) -> list[bool]:
    return [answer.correct for answer in answer_all(model, [posed.question for posed in probes], Meter(0))]


def above_chance(probes, marks) -> list[str]:
    """Kinds, and axes of families, of which more things are known than guessing explains. A thing counts once, however
    often it is asked: a guess about it is right everywhere or nowhere."""
    groups: dict[str, dict[str, list[tuple[float, bool]]]] = defaultdict(lambda: defaultdict(list))
    for posed, mark in zip(probes, marks, strict=True):
        if posed.asked.axis != "boundary":  # the right reply is what anybody would say who has learnt nothing
            asked = posed.asked
            for name in (f"{asked.family}/{asked.kind}", f"{asked.family}, {asked.axis}"):
                groups[name][asked.key].append((asked.chance, mark))
    found = []
    for name, things in groups.items():
        known = sum(2 * sum(mark for _, mark in asked) > len(asked) for asked in things.values())
        chance = sum(asked[0][0] for asked in things.values()) / len(things)
        if at_least(known, len(things), chance) < CHANCE:
            found.append(f"{name}: {known} of {len(things)} things at a chance of {chance:.3f}")
    return found


def at_least(count: int, of: int, chance: float) -> float:
    """Probability of so many hits or more."""
    return sum(comb(of, hits) * chance**hits * (1 - chance) ** (of - hits) for hits in range(count, of + 1))


def test_the_tail_is_that_of_a_binomial():
    assert at_least(0, 5, 0.3) == pytest.approx(1)
    assert at_least(2, 2, 0.5) == pytest.approx(0.25)
    assert at_least(1, 2, 0.5) == pytest.approx(0.75)


def test_the_untouched_base_is_at_chance(lab, plan):
    """Over several streams; the gate must be able to fail for every kind, also for choices of two."""
    pooled = [posed for seed in range(SEED, SEED + POOLED) for posed in generate(plan, seed).probes("validity")]
    assert not above_chance(pooled, right(lab, pooled))
    assert {"library/spot_wrong", "classes/within"} <= {
        line.split(":")[0] for line in above_chance(pooled, [True] * len(pooled))
    }


@pytest.mark.long
def test_who_has_learnt_another_stream_is_at_chance(taught, plan):
    other = generate(plan, SEED + 1).probes("validity")
    assert not above_chance(other, right(taught, other))


@pytest.mark.long
def test_joint_training_learns_what_the_base_does_not_know(taught, lab, probes):
    """At least 0.8 of the atoms of a family, and 0.2 more than the base above chance."""
    atoms = [posed for posed in probes if posed.asked.axis == "atom"]
    learnt, before = _by_family(atoms, right(taught, atoms)), _by_family(atoms, right(lab, atoms))
    assert set(learnt) == set(FAMILIES)
    assert all(learnt[family] - before[family] >= 0.2 for family in FAMILIES), (learnt, before)
    assert {family for family, share in learnt.items() if share >= 0.8} >= LEARNABLE, learnt


def _by_family(probes, marks) -> dict[str, float]:
    found: dict[str, list[bool]] = defaultdict(list)
    for posed, mark in zip(probes, marks, strict=True):
        found[posed.asked.family].append(mark)
    return {family: sum(each) / len(each) for family, each in found.items()}


@pytest.mark.long
def test_options_without_their_question_are_at_chance(taught, probes):
    """Also for a model that has learnt the stream: what it holds likely by itself does not give the answer away."""
    blank = [
        replace(posed, question=replace(posed.question, messages=(Message("user", "?"),)), options=posed.options)
        for posed in probes
        if posed.options
    ]
    examiner = Examiner(generate_nothing(), tuple(blank), NOTHING, taught)
    chosen = examiner._chosen(blank)
    of_four = [replace(posed, asked=replace(posed.asked, chance=1 / len(posed.options))) for posed in blank]
    assert not above_chance(of_four, [chosen[posed.asked.id] for posed in of_four])


def generate_nothing():
    return generate(Plan(("rules",), rounds=1, scale=0.1), 1)


@pytest.mark.long
def test_prompts_without_what_they_are_about_are_at_chance(taught, probes):
    """The words of the world are blanked: what is left of the question does not give the answer away. A question of
    `library` asks in common words, and names but the module: there everything else is blanked."""
    known = {word for word in taught.tokenizer.get_vocab() if word.isalpha() and len(word) > 1}
    blanked = []
    for posed in probes:
        words = posed.question.messages[-1].content.split(" ")
        common = [_plain(word) in known or len(_plain(word)) < 6 for word in words]
        left = [not is_common for is_common in common] if posed.asked.family == "library" else common
        text = " ".join(word if stays else "it" for word, stays in zip(words, left, strict=True))
        if text != posed.question.messages[-1].content:
            blanked.append(replace(posed, question=replace(posed.question, messages=(Message("user", text),))))
    assert len(blanked) > 0.8 * len(probes)
    assert not above_chance(blanked, right(taught, blanked))


def _plain(word: str) -> str:
    return "".join(letter for letter in word if letter.isalpha())


def test_an_oracle_is_right_everywhere_and_a_guesser_at_chance(probes):
    """Of checked probes the canonical reply passes the check; a reply drawn from those of the same kind hardly does."""
    checked = [posed for posed in probes if posed.question.grade != "exact"]
    assert len(checked) > 50
    assert all(_passes(posed, posed.asked.gold) for posed in checked)
    draw = random.Random(0)
    alike: dict[str, list[str]] = defaultdict(list)
    for posed in probes:
        alike[f"{posed.asked.family}/{posed.asked.kind}"].append(posed.asked.gold)
    guessed = [_passes(posed, draw.choice(alike[f"{posed.asked.family}/{posed.asked.kind}"])) for posed in probes]
    assert not above_chance(probes, guessed)


def _passes(posed: Posed, reply: str) -> bool:
    if posed.question.grade == "exact":
        return reply == posed.question.gold[0]
    return check(posed.question.grade, posed.question.gold[0], Written(reply, True, len(reply.split())))


@pytest.mark.long
def test_a_planted_loss_is_seen_and_doing_nothing_is_named(plan, tmp_path):
    """A method that goes back to the base before each stage forgets all that it had learnt; one that does nothing
    has learnt nothing and forgotten nothing, and is labelled."""
    small = generate(replace(plan, families=("classes", "rules", "facts"), scale=0.5), SEED)
    probes = tuple(posed for posed in small.probes("planted") if posed.asked.axis == "atom")
    scores = {}
    for name in ("forgetter", "idler"):
        file = Path(__file__).parent / f"{name}.py"
        model = LanguageModel.load(str(model_folder()))
        settings = {**tuned("lab", "finetune"), "learning_rate": 1e-3} if name == "forgetter" else {}
        learning = learn(small, name, settings, model, tmp_path / name, str(file))
        examiner = Examiner(small, probes, NOTHING, LanguageModel.load(str(model_folder())))
        base = examiner.base().last
        trial = examiner.trial(learning, tmp_path / name, base)
        asked = tuple(posed.asked for posed in probes)
        found = SequenceOfStages().scores(Case(trial, asked, len(small.stages), model.parameters, base))
        scores[name] = {score.name: score.value for score in found} | {"labels": trial.labels}
    assert scores["forgetter"]["LA"] > 0.7
    assert scores["forgetter"]["forgetting"] > 0.6
    assert scores["forgetter"]["labels"] == ()
    assert scores["idler"]["labels"] == ("nothing trained",)
    assert scores["idler"]["forgetting"] == pytest.approx(0, abs=1e-9)


@pytest.mark.long
def test_a_twin_with_exchanged_words_scores_the_same(plan, tmp_path):
    """Each invented word stands for another one throughout: what is scored is learning, not the words."""
    small = generate(replace(plan, families=("classes", "facts"), scale=0.5), SEED)
    twin = exchanged(small, invented_in(small))
    assert twin.stages[0].examples != small.stages[0].examples
    shares = []
    for name, one in (("first", small), ("twin", twin)):
        model = LanguageModel.load(str(model_folder()))
        learn(one, JOINT, tuned("lab", "joint"), model, tmp_path / name, JOINT)
        probes = [posed for posed in one.probes("twin") if posed.asked.axis == "atom"]
        shares.append(sum(right(model, probes)) / len(probes))
    assert abs(shares[0] - shares[1]) < 0.1, shares


def invented_in(stream) -> list[str]:
    texts = [message.content for stage in stream.stages for row in stage.examples for message in row.messages]
    known = set(make_tokenizer(fixed_words()).get_vocab())
    return sorted({word for text in texts for word in INVENTED.findall(text)} - known)


def exchanged(stream, words):
    """The stream with its invented words exchanged among each other."""
    other = dict(zip(words, random.Random(1).sample(words, len(words)), strict=True))

    def changed(text):
        return INVENTED.sub(lambda match: other.get(match[0], match[0]), text)

    def turn(messages):
        return tuple(replace(message, content=changed(message.content)) for message in messages)

    stages = [
        replace(stage, examples=tuple(replace(row, messages=turn(row.messages)) for row in stage.examples))
        for stage in stream.stages
    ]

    def draw(salt):
        return tuple(
            replace(
                posed,
                question=replace(
                    posed.question,
                    messages=turn(posed.question.messages),
                    gold=tuple(changed(gold) for gold in posed.question.gold),
                ),
            )
            for posed in stream.draw(salt)
        )

    return replace(stream, stages=tuple(stages), draw=draw)
