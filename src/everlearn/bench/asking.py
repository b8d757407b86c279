"""A learnt cell and a stream in, a trial with every reply out: the examiner, in a process of its own.

The probes are drawn from a salt that did not exist while the cell was learnt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import load_file

from everlearn.bench.abilities import Abilities, kl_from, nats_per_byte
from everlearn.bench.arms import BASE, CONTEXT, SOLO
from everlearn.bench.prompting import Prompting, added, kept_memory, prompts
from everlearn.bench.recording import Learning, Learnt
from everlearn.bench.stream import Posed, Stream
from everlearn.desiderata.contract import Moment, Reply, Trial
from everlearn.examiner import answer_all
from everlearn.methods.contract import Method
from everlearn.model.adaptation import Adaptation
from everlearn.model.language_model import LanguageModel
from everlearn.records import Answer, Cost, Question
from everlearn.train.meter import Meter

NEXT_ROWS = 64
"""Training rows of the stage to come by which its novelty is measured."""


@dataclass(frozen=True)
class Examiner:
    """What is asked of every arm of a stream alike."""

    stream: Stream
    probes: tuple[Posed, ...]
    abilities: Abilities
    model: LanguageModel

    def base(self) -> Trial:
        """The untouched base: a trial of one moment. Call it before anything is loaded into the model."""
        moment = self._moment(Learnt(0, 1.0, "", Cost(), 0, 0), options=True)
        return Trial(BASE, self.stream.seed, (moment,))

    def in_context(self) -> Trial:
        """The base with the notes that suffice in front of each question; nothing else is asked."""
        posed = [replace(one, question=with_notes(one)) for one in self.probes]
        last = len(self.stream.stages)
        return Trial(CONTEXT, self.stream.seed, (Moment(last, replies=tuple(self._replies(posed, options=False))),))

    def trial(self, learning: Learning, folder: Path, base: Moment, method: Method | None = None) -> Trial:
        """Every moment of a learnt cell, after that of the base, which is asked once for all arms.

        Args:
            method: that by which it was learnt; where it changes what is asked, it does so here.
        """
        self.model.adapt(Adaptation(*learning.adaptation))
        moments = [base] if learning.arm != SOLO else []
        for learnt in learning.moments:
            if learnt.weights:
                self.model.restore(
                    {name: weight.float() for name, weight in load_file(folder / learnt.weights).items()}
                )
            memory = kept_memory(folder, learnt.memory)
            if method and learnt.memory:
                method.serve(self.model, memory)
            prompting = Prompting(method, memory) if method and prompts(method) else None
            moments.append(self._moment(learnt, options=learnt is learning.moments[-1], prompting=prompting))
        return Trial(learning.arm, self.stream.seed, tuple(moments), learning.settings, learning.labels)

    def _moment(self, learnt: Learnt, options: bool, prompting: Prompting | None = None) -> Moment:
        """Ask what there is to ask at a point of the stream: within a stage only what was begun, nothing general."""
        whole = learnt.share == 1.0
        own = [posed for posed in self.probes if whole or posed.asked.stage <= learnt.stage]
        asked = _prompted(own, prompting)
        common = Moment(
            learnt.stage,
            learnt.share,
            tuple(self._replies(asked, options)),
            cost=learnt.cost,
            bytes_kept=learnt.bytes_kept,
            prompt_tokens=round(added(self.model.chat, _questions(own), _questions(asked)), 3) if prompting else 0.0,
        )
        if not whole:
            return common
        general = self._replies(_prompted(self.abilities.questions, prompting), options=False)
        upcoming = self.stream.stages[learnt.stage].examples if learnt.stage < len(self.stream.stages) else ()
        return replace(
            common,
            replies=(*common.replies, *general),
            text_nll=nats_per_byte(self.model, self.abilities.texts),
            kl_general=kl_from(self.model, self.abilities.general),
            kl_new=kl_from(self.model, self.abilities.new),
            next_nll=nats_per_byte(self.model, upcoming[:NEXT_ROWS]),
        )

    def _replies(self, posed: Sequence[Posed], options: bool) -> list[Reply]:
        answers = answer_all(self.model, _questions(posed), Meter(0))
        chosen = self._chosen(posed) if options else {}
        return [_reply(one, answer, chosen.get(one.asked.id)) for one, answer in zip(posed, answers, strict=True)]

    def _chosen(self, posed: Sequence[Posed]) -> Mapping[str, bool]:
        """For each probe with options, whether the right one is the most likely: by nats per token, as all options of a
        probe are of one length."""
        able = [one for one in posed if one.options]
        rows = [self.model.chat.answered(one.question, option) for one in able for option in one.options]
        nlls = iter(outcome.nll for outcome in self.model.force(rows))
        found = {}
        for one in able:
            likely = min((next(nlls), option) for option in one.options)[1]
            found[one.asked.id] = likely == one.question.gold[0]
        return found


def with_notes(posed: Posed) -> Question:
    """The question with its notes in front of the user's words."""
    *before, last = posed.question.messages
    text = "\n".join((*posed.reading, last.content))
    return replace(posed.question, messages=(*before, replace(last, content=text)))


def _prompted(posed: Sequence[Posed], prompting: Prompting | None) -> Sequence[Posed]:
    """The same as a method has them asked."""
    return [replace(one, question=prompting.ask(one.question)) for one in posed] if prompting else posed


def _questions(posed: Sequence[Posed]) -> list[Question]:
    return [one.question for one in posed]


def _reply(posed: Posed, answer: Answer, chosen: bool | None) -> Reply:
    return Reply(posed.asked.id, answer.correct, round(answer.gold_nll, 5), chosen, answer.text, answer.error)
