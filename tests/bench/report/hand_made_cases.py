"""Rows of 1 (right) and 0 (wrong) in, a case with just these answers out."""

from everlearn.desiderata.contract import Asked, Case, Desideratum, Moment, Reply, Score, Trial
from everlearn.records import Cost

PER_STAGE = 2
"""Questions of each stage."""


def probes_of(stages):
    """Two atom probes of each stage, without any chance of guessing."""
    return tuple(
        Asked(
            f"p{stage}.{n}", "facts", "direct", "atom", (stage,), f"k{stage}.{n}", 0.0, prompt=f"q{stage}.{n}", gold="g"
        )
        for stage in range(1, stages + 1)
        for n in range(PER_STAGE)
    )


def moment_of(stage, marks, probes, share=1.0, flops=0.0, kept=0):
    """A moment with a mark for each probe."""
    replies = tuple(
        Reply(probe.id, mark == "1", 0.5, text="g" if mark == "1" else f"not {probe.id}")
        for probe, mark in zip(probes, marks, strict=True)
    )
    return Moment(stage, share, replies, cost=Cost({"new": 10}, flops), bytes_kept=kept)


def case_of(method, marks, stream=1, joint="", solo=(), labels=(), flops=0.0):
    """A case whose moments, the base first, have these marks."""
    stages = len(marks) - 1
    probes = probes_of(stages)
    base, *moments = (moment_of(t, line, probes, flops=flops if t else 0.0, kept=t) for t, line in enumerate(marks))
    trial = Trial(method, stream, tuple(moments), labels=labels)
    top = Trial("joint", stream, (moment_of(0, joint, probes),)) if joint else None
    alone = tuple(moment_of(t, line, probes) for t, line in enumerate(solo, 1))
    return Case(trial, probes, stages, 1000, base, top, Trial("solo", stream, alone) if solo else None)


class Given(Desideratum):
    """Scores that are given by method and stream; None comes with a note."""

    question = "What was given?"

    def __init__(self, name, values, better="higher", unit=""):
        self.name, self.values, self.better, self.unit = name, values, better, unit

    def scores(self, case):
        value = self.values.get((case.trial.method, case.trial.stream))
        return (Score(self.name, value, self.better, self.unit, "" if value is not None else "not given"),)
