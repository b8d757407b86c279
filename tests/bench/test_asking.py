"""Learnt cells in, recorded replies out; abilities are fixed on the base and asked of every arm alike."""

from __future__ import annotations

import pytest
import torch

from everlearn.bench.abilities import Abilities, Candidates, abilities_of, kl_from, nats_per_byte
from everlearn.bench.asking import Examiner, with_notes
from everlearn.bench.learning import learn
from everlearn.bench.stream import Posed
from everlearn.bench.tiers import asked_in_general, prose
from everlearn.records import Message, Question
from everlearn.train.anchors import Anchors

NOTHING = Anchors((), ())
KNOWN = {"epochs": 60, "least_steps": 1, "learning_rate": 1e-2, "rows_per_step": 8}
"""Enough for the tiny model to know a stage's few rows by heart."""


def examiner(letters, model, abilities=None):
    probes = letters.probes("salt")
    return Examiner(letters, probes, abilities or Abilities((), prose(2), NOTHING, NOTHING), model)


def general(text: str, skill: str, grade: str = "starts_with", gold: str = "") -> Posed:
    return asked_in_general(Question((Message("user", text),), (gold,), skill, grade))


def test_the_base_is_asked_everything(letters, tiny):
    (moment,) = examiner(letters, tiny).base().moments
    probes = letters.probes("salt")
    assert (moment.stage, moment.share) == (0, 1.0)
    assert {reply.probe for reply in moment.replies} == {posed.asked.id for posed in probes}
    by_probe = moment.by_probe
    assert all((by_probe[posed.asked.id].chosen is not None) == bool(posed.options) for posed in probes)
    rows = [tiny.chat.example(example) for example in letters.stages[0].examples]
    nats = sum(found.nll * row.targets for found, row in zip(tiny.force(rows), rows, strict=True))
    size = sum(len(message.content.encode()) for row in letters.stages[0].examples for message in row.messages[1:])
    assert moment.next_nll == pytest.approx(nats / size, rel=1e-3)  # of the first stage, which comes next
    assert moment.text_nll > 0


def test_a_learnt_stage_is_known_by_heart_and_the_next_one_not(letters, tiny, tmp_path):
    ask = examiner(letters, tiny)
    base = ask.base().last
    learning = learn(letters, "finetune", KNOWN, tiny, tmp_path, "finetune")
    trial = ask.trial(learning, tmp_path, base)
    assert trial.moments[0] == base
    assert [moment.stage for moment in trial.moments if moment.share == 1.0] == [0, 1, 2, 3]
    first = {posed.asked.id for posed in ask.probes if posed.asked.stages == (1,)}
    within = next(moment for moment in trial.moments if moment.share < 1.0)
    assert {reply.probe for reply in within.replies} == first
    assert within.text_nll is None
    nll = [sum(trial.after(stage).by_probe[name].nll for name in first) for stage in (0, 1)]
    assert nll[1] < nll[0]
    last = trial.last
    assert last.next_nll is None, "nothing comes after the last stage"
    assert last.text_nll is not None


def test_chosen_is_whether_the_right_option_is_the_most_likely(letters, tiny):
    moment = examiner(letters, tiny).base().last
    for posed in letters.probes("salt"):
        if posed.options:
            rows = [tiny.chat.answered(posed.question, option) for option in posed.options]
            nlls = [found.nll for found in tiny.force(rows)]
            likely = posed.options[nlls.index(min(nlls))]
            assert moment.by_probe[posed.asked.id].chosen == (likely == posed.question.gold[0])


def test_notes_stand_in_front_of_the_question(letters, tiny):
    posed = next(one for one in letters.probes("salt") if one.reading)
    text = with_notes(posed).messages[-1].content
    assert text == f"{posed.reading[0]}\n{posed.question.messages[-1].content}"
    trial = examiner(letters, tiny).in_context()
    assert [moment.stage for moment in trial.moments] == [3]


def test_solo_has_no_moment_of_the_base(letters, tiny, tmp_path):
    ask = examiner(letters, tiny)
    base = ask.base().last
    quick = {**KNOWN, "epochs": 1}
    trial = ask.trial(learn(letters, "solo", quick, tiny, tmp_path, "finetune"), tmp_path, base)
    assert [moment.stage for moment in trial.moments] == [1, 2, 3]


def test_abilities_are_what_the_base_surely_can_do(tiny):
    can = [general(f"say {name}", "chat") for name in "abc"]
    cannot = [general("say it", "format", gold="surely not this")]
    candidates = Candidates((*can, *cannot), prose(2))
    found = abilities_of(tiny, candidates, (), per_skill=2)
    assert found.questions == tuple(can[:2])
    assert found.texts == candidates.texts
    assert len(found.general.rows) == 2
    assert found.new.rows == ()


def test_kl_is_none_of_itself_and_grows_as_the_model_moves(tiny):
    can = tuple(general(f"say {name}", "chat") for name in "abc")
    found = abilities_of(tiny, Candidates(can, ()), (), per_skill=9)
    assert kl_from(tiny, found.general) == pytest.approx(0.0, abs=1e-3)
    assert kl_from(tiny, NOTHING) is None
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in tiny.network.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    assert kl_from(tiny, found.general) > 0.01


def test_nats_per_byte_of_nothing_is_nothing(tiny):
    assert nats_per_byte(tiny, ()) is None
