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
from everlearn.desiderata.sequence import Sequence
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

CHANCE = 1e-4
"""A guesser is suspected once in so many tests of a kind of probe; there are about 80 kinds."""

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
    learn(stream, JOINT, tuned("lab", "finetune"), model, tmp_path_factory.mktemp("joint"), lambda progress: None)
    return model


def right(model: LanguageModel, probes) -> list[bool]:
    return [answer.correct for answer in answer_all(model, [posed.question for posed in probes], Meter(0))]


def above_chance(probes, marks) -> list[str]:
    """Kinds that are answered right more often than guessing explains."""
    groups: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for posed, mark in zip(probes, marks, strict=True):
        if posed.asked.axis != "boundary":  # the right reply is what anybody would say who has learnt nothing
            groups[f"{posed.asked.family}/{posed.asked.kind}"].append((posed.asked.chance, mark))
    return [
        f"{name}: {sum(mark for _, mark in marks)} of {len(marks)} at a chance of {_mean(marks):.3f}"
        for name, marks in groups.items()
        if at_least(sum(mark for _, mark in marks), len(marks), _mean(marks)) < CHANCE
    ]


def _mean(marks: list[tuple[float, bool]]) -> float:
    return sum(chance for chance, _ in marks) / len(marks)


def at_least(count: int, of: int, chance: float) -> float:
    """Probability of so many hits or more."""
    return sum(comb(of, hits) * chance**hits * (1 - chance) ** (of - hits) for hits in range(count, of + 1))


def test_the_tail_is_that_of_a_binomial():
    assert at_least(0, 5, 0.3) == pytest.approx(1)
    assert at_least(2, 2, 0.5) == pytest.approx(0.25)
    assert at_least(1, 2, 0.5) == pytest.approx(0.75)


def test_the_untouched_base_is_at_chance(lab, probes):
    assert not above_chance(probes, right(lab, probes))


def test_who_has_learnt_another_stream_is_at_chance(taught, plan):
    other = generate(plan, SEED + 1).probes("validity")
    assert not above_chance(other, right(taught, other))


def test_joint_training_learns_every_family(taught, lab, probes):
    """0.8 of the atoms of each family; the base at least 0.2 lower is the test above."""
    marks: dict[str, list[bool]] = defaultdict(list)
    for posed, mark in zip(probes, right(taught, probes), strict=True):
        if posed.asked.axis == "atom":
            marks[posed.asked.family].append(mark)
    shares = {family: sum(found) / len(found) for family, found in marks.items()}
    assert set(shares) == set(FAMILIES)
    assert min(shares.values()) >= 0.8, shares


def test_options_without_their_question_are_at_chance(taught, probes):
    """Also for a model that has learnt the stream: what it holds likely by itself does not give the answer away."""
    blank = [
        replace(posed, question=replace(posed.question, messages=(Message("user", "?"),)), options=posed.options)
        for posed in probes
        if posed.options
    ]
    examiner = Examiner(generate_nothing(), tuple(blank), NOTHING, taught, lambda done, of: None)
    chosen = examiner._chosen(blank)
    of_four = [replace(posed, asked=replace(posed.asked, chance=1 / len(posed.options))) for posed in blank]
    assert not above_chance(of_four, [chosen[posed.asked.id] for posed in of_four])


def generate_nothing():
    return generate(Plan(("rules",), rounds=1, scale=0.1), 1)


def test_prompts_without_their_invented_words_are_at_chance(taught, probes, stream):
    """The words of the world are blanked: what is left of the question does not give the answer away."""
    known = {word for word in taught.tokenizer.get_vocab() if word.isalpha() and len(word) > 1}
    blanked = []
    for posed in probes:
        words = posed.question.messages[-1].content.split(" ")
        text = " ".join(word if _plain(word) in known or len(_plain(word)) < 6 else "it" for word in words)
        if text != posed.question.messages[-1].content:
            blanked.append(replace(posed, question=replace(posed.question, messages=(Message("user", text),))))
    assert len(blanked) > 0.8 * len(probes)
    assert not above_chance(blanked, right(taught, blanked))


def _plain(word: str) -> str:
    return "".join(letter for letter in word if letter.isalpha())


def test_an_oracle_is_right_everywhere_and_a_guesser_at_chance(plan, stream, probes):
    replies = {posed.asked.id: posed.asked.gold for posed in probes}
    assert all(_passes(posed, replies[posed.asked.id]) for posed in probes)
    draw = random.Random(0)
    alike: dict[str, list[str]] = defaultdict(list)
    for posed in probes:
        alike[f"{posed.asked.family}/{posed.asked.kind}"].append(replies[posed.asked.id])
    guessed = [_passes(posed, draw.choice(alike[f"{posed.asked.family}/{posed.asked.kind}"])) for posed in probes]
    assert not above_chance(probes, guessed)


def _passes(posed: Posed, reply: str) -> bool:
    if posed.question.grade == "exact":
        return reply == posed.question.gold[0]
    return check(posed.question.grade, posed.question.gold[0], Written(reply, True, len(reply.split())))


def test_a_planted_loss_is_seen_and_doing_nothing_is_named(plan, tmp_path):
    """A method that goes back to the base before each stage forgets all that it had learnt; one that does nothing
    has learnt nothing and forgotten nothing, and is labelled."""
    small = generate(replace(plan, families=("classes", "rules", "facts"), scale=0.5), SEED)
    probes = tuple(posed for posed in small.probes("planted") if posed.asked.axis == "atom")
    scores = {}
    for name in ("forgetter", "idler"):
        file = Path(__file__).parent / f"{name}.py"
        model = LanguageModel.load(str(model_folder()))
        settings = tuned("lab", "finetune") if name == "forgetter" else {}
        learning = learn(small, name, settings, model, tmp_path / name, lambda progress: None, str(file))
        examiner = Examiner(small, probes, NOTHING, LanguageModel.load(str(model_folder())), lambda done, of: None)
        base = examiner.base().last
        trial = examiner.trial(learning, tmp_path / name, base)
        asked = tuple(posed.asked for posed in probes)
        found = Sequence().scores(Case(trial, asked, len(small.stages), model.parameters, base))
        scores[name] = {score.name: score.value for score in found} | {"labels": trial.labels}
    assert scores["forgetter"]["LA"] > 0.7
    assert scores["forgetter"]["forgetting"] > 0.6
    assert scores["forgetter"]["labels"] == ()
    assert scores["idler"]["labels"] == ("nothing trained",)
    assert scores["idler"]["forgetting"] == pytest.approx(0, abs=1e-9)


def test_a_twin_with_exchanged_words_scores_the_same(plan, tmp_path):
    """Each invented word stands for another one throughout: what is scored is learning, not the words."""
    small = generate(replace(plan, families=("classes", "facts")), SEED)
    twin = exchanged(small, invented_in(small))
    assert twin.stages[0].examples != small.stages[0].examples
    shares = []
    for name, one in (("first", small), ("twin", twin)):
        model = LanguageModel.load(str(model_folder()))
        learn(one, JOINT, tuned("lab", "finetune"), model, tmp_path / name, lambda progress: None)
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
