"""Probe names and the ones answered right in, moments, trials and cases out."""

from everlearn.desiderata.contract import Asked, Case, Moment, Reply, Trial


def asked(name, stages=(), axis="atom", kind="direct", **more):
    """A probe named `name`, about a thing of its own name."""
    stages = (stages,) if isinstance(stages, int) else stages
    fields = {"family": "facts", "key": name, "chance": 0.0, "gold": f"gold {name}", **more}
    return Asked(name, fields.pop("family"), kind, axis, stages, fields.pop("key"), fields.pop("chance"), **fields)


def names(stage, count):
    """`1a 1b 1c …`: as many probes of a stage."""
    return [f"{stage}{letter}" for letter in "abcdefghij"[:count]]


def atoms(stages, count):
    """`count` atom probes for each of `stages` stages, named by `names`."""
    return tuple(asked(name, stage) for stage in range(1, stages + 1) for name in names(stage, count))


def moment(stage, probes, right, share=1.0, texts=None, **more):
    """A moment at which the probes named in `right` (a string or a collection of names) were answered right.

    Who is right has said what is right, who is wrong nothing; `texts` says otherwise.
    """
    right = right.split() if isinstance(right, str) else right
    texts = texts or {}
    said = {probe.id: texts.get(probe.id, probe.gold if probe.id in right else "") for probe in probes}
    replies = tuple(Reply(probe.id, probe.id in right, 1.0, None, said[probe.id]) for probe in probes)
    return Moment(stage, share, replies, **more)


def case(probes, moments, stages, base="", **more):
    """A case; `base` names what the untouched base answers right, or is a moment."""
    base = base if isinstance(base, Moment) else moment(0, probes, base)
    return Case(Trial("mine", 1, tuple(moments)), tuple(probes), stages, more.pop("parameters", 1000), base, **more)


def reference(method, *moments):
    """A reference trial."""
    return Trial(method, 1, tuple(moments))


def scored(desideratum, made):
    """Scores by name."""
    return {score.name: score for score in desideratum.scores(made)}
