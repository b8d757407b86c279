"""Nothing in; cases of made-up methods on made-up streams out: what they know decays as it would, no model involved."""

import functools
import hashlib
import zlib
from dataclasses import dataclass, replace

from everlearn.bench.report.content import Board, Compared, Curve, Facts, Point
from everlearn.bench.statistics import compare, judge, marks
from everlearn.desiderata.contract import Asked, Case, Moment, Reply, Trial
from everlearn.records import Cost

FAMILIES = ("facts", "library", "operators", "rules", "classes", "language", "trust")
STAGES = 12
PARAMETERS = 3_000_000
STREAM_BYTES = 400_000


@dataclass(frozen=True)
class Character:
    """How a made-up method learns."""

    learns: float
    keeps: float
    """Share of what is known that is left after one more stage."""
    general: float
    combines: float
    resists: float
    cost: float
    """Of one stage, in plain passes over its data."""
    grows: int = 0
    """Bytes of memory by stage."""
    labels: tuple[str, ...] = ()


METHODS = {
    "finetune": Character(0.93, 0.80, 0.72, 0.35, 0.1, 1.0),
    "replay": Character(0.92, 0.975, 0.93, 0.7, 0.3, 2.0, 34_000, ("full replay",)),
    "replay_small": Character(0.91, 0.94, 0.9, 0.55, 0.25, 1.2, 3_400),
    "anchored": Character(0.9, 0.985, 0.985, 0.72, 0.45, 2.6, 6_000),
    "freeze": Character(0.62, 0.96, 0.97, 0.3, 0.5, 0.7),
    "ewc": Character(0.78, 0.9, 0.88, 0.4, 0.3, 1.4, 12_000),
    "low_rank": Character(0.84, 0.88, 0.91, 0.42, 0.2, 0.8),
    "nothing": Character(0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0, ("nothing trained",)),
}
JOINT = Character(0.96, 1.0, 0.95, 0.9, 0.6, 1.0)
# kind, axis, whether two stages are needed, cue
KINDS = (
    ("direct", "atom", False, ""),
    ("direct", "atom", False, ""),
    ("direct", "atom", False, ""),
    ("paraphrase", "atom", False, ""),
    ("paraphrase", "atom", False, ""),
    ("reverse", "derived", False, ""),
    ("two_hop", "composition", True, ""),
    ("two_hop_within", "composition", False, ""),
    ("named", "atom", False, "cued"),
    ("implied", "atom", False, "uncued"),
    ("update", "adapt", False, ""),
    ("rumour", "resist", False, ""),
    ("in_v1", "scope", False, ""),
    ("neighbour", "near", False, ""),
    ("elsewhere", "far", False, ""),
    ("unanswerable", "boundary", False, ""),
)
SKILLS = ("arithmetic", "grammar", "reading", "spelling")
EASE = {"derived": 0.7, "composition": 0.75, "scope": 0.6, "boundary": 0.8, "adapt": 0.85}


@functools.cache
def word(*place):
    """An invented word, the same for the same place."""
    return "".join(
        "bdfgklmnprstvz"[int(14 * luck(k, *place))] + "aeiou"[int(5 * luck("v", k, *place))] for k in range(3)
    )


def luck(*place):
    """A number from 0 to 1, the same for the same place."""
    return zlib.adler32(hashlib.md5(repr(place).encode()).digest()) % 9973 / 9973


def probes_of(stream, per_kind=1):
    """About 200 probes: `per_kind` of each kind for every stage, and general ones."""
    found = []
    for stage in range(1, STAGES + 1):
        family = FAMILIES[(stage + stream) % len(FAMILIES)]
        for number, (kind, axis, across, cue) in enumerate(KINDS * per_kind):
            both = across and stage > 2
            stages = (stage - 2, stage) if both else (stage,)
            key = f"{family} {stage} {number if axis in ('atom', 'composition') else f'{kind} {number}'}"
            if cue:
                key = f"{family} {stage} skill"
            thing, place = word(stream, stage, number), word(stream, stage)
            prompt = f"Which {word(stream, stage, 'relation')} does {thing} of {place} have?"
            if both:
                prompt = f"Take the {word(stream, stages[0])} of {thing}: which {place} is it?"
            atoms = (f"{family} {stage} 0",) if axis == "composition" else ()
            found.append(
                Asked(
                    hashlib.sha256(f"{stream} {stage} {number}".encode()).hexdigest(),
                    family, kind, axis, stages, key, 0.05, atoms, explicit=kind == "two_hop" and number % 2 == 1,
                    cue=cue, prompt=prompt, gold=word(stream, stage, number, "gold"),
                )
            )  # fmt: skip
    for number in range(24 * per_kind):
        name = hashlib.sha256(f"general {stream} {number}".encode()).hexdigest()
        skill = SKILLS[number % len(SKILLS)]
        text = f"({skill}) What comes after {number} and before {number + 2}?"
        found.append(
            Asked(name, "general", skill, "general", (), f"general {number}", 0.0, prompt=text, gold=str(number + 1))
        )
    return tuple(found)


def knows(character, probe, t, share=1.0):
    """The chance that a probe is answered right after stage t."""
    if probe.axis == "general":
        return 0.92 * character.general ** (t / STAGES)
    if probe.axis in ("near", "far"):
        return 0.3 * character.keeps ** max(0, t - probe.stage)
    if probe.axis == "resist":
        return character.resists if t >= probe.stage else 0.6
    if t < probe.stage:
        return probe.chance
    strength = character.learns * share * character.keeps ** (t - probe.stage) * EASE.get(probe.axis, 1.0)
    if probe.axis == "composition":
        strength *= character.combines
    if probe.cue == "uncued":
        strength *= 0.55 + 0.4 * character.combines
    return probe.chance + (1 - probe.chance) * strength


def replies_of(name, character, probes, stream, t, share=1.0, seen=lambda probe: True):
    """Replies at one moment; what is easy is easy for every method."""
    found = []
    for probe in probes:
        if not seen(probe):
            continue
        own = luck(name, probe.id, t)
        right = 0.7 * luck(probe.id) + 0.3 * own < knows(character, probe, t, share) * 0.94
        text = probe.gold if right else word("wrong", stream, probe.id, name)
        found.append(Reply(probe.id, right, 0.1 if right else 2.4, right or own < 0.3, text))
    return tuple(found)


def moment_of(name, character, probes, stream, t, share=1.0):
    """A moment with its costs."""
    seen = (lambda probe: True) if share == 1.0 else (lambda probe: 0 < probe.stage <= t)
    tokens = {"new": round(14_000 * share), "replayed": round(14_000 * share * max(0.0, character.cost - 1))}
    flops = 6 * PARAMETERS * 14_000 * character.cost * share * (0.95 + 0.1 * luck(stream, t))
    return Moment(
        t, share, replies_of(name, character, probes, stream, t, share, seen),
        text_nll=1.5 + (1 - character.general) * t / STAGES, kl_general=0.4 * (1 - character.general) * t / STAGES,
        kl_new=0.9, next_nll=2.0 + luck("shift", stream, t),
        cost=Cost(tokens, flops, 4.1 * character.cost, 900_000_000, character.grows),
        bytes_kept=(0 if character.cost == 0 else 6_000_000) + character.grows * t,
    )  # fmt: skip


def moments_of(name, character, probes, stream):
    """All whole stages, and three points within two of them."""
    found = []
    for t in range(1, STAGES + 1):
        if t in (4, 11):
            found += [moment_of(name, character, probes, stream, t, share) for share in (0.125, 0.25, 0.5)]
        found.append(moment_of(name, character, probes, stream, t))
    return tuple(found)


@functools.cache
def references_of(stream, per_kind):
    """Probes of a stream, the base's moment, and joint, solo and in-context trials on it."""
    probes = probes_of(stream, per_kind)
    base = replace(moment_of("base", METHODS["nothing"], probes, stream, 0), cost=Cost(), bytes_kept=0)
    end = moment_of("joint", JOINT, probes, stream, STAGES)
    joint = Trial("joint", stream, (replace(end, cost=replace(end.cost, flops=12 * end.cost.flops)),))
    solo = tuple(moment_of("solo", JOINT, probes, stream, t) for t in range(1, STAGES + 1))
    reader = replace(JOINT, learns=0.8, general=1.0, cost=0.0)
    context = Trial("context", stream, (moment_of("context", reader, probes, stream, STAGES),))
    return probes, base, joint, Trial("solo", stream, solo), context


def case_of(method, character, stream, per_kind=1):
    """One method on one stream with all references."""
    probes, base, joint, solo, context = references_of(stream, per_kind)
    settings = {"learning_rate": 3e-4, "epochs": 4, "seed": 0}
    trial = Trial(method, stream, moments_of(method, character, probes, stream), settings, character.labels)
    families = {t: FAMILIES[(t + stream) % len(FAMILIES)] for t in range(1, STAGES + 1)}
    reading = {probe.id: 40 * len(probe.stages) for probe in probes}
    return Case(trial, probes, STAGES, PARAMETERS, base, joint, solo, context, families, reading)


def cases_of(methods=METHODS, streams=3, per_kind=1):
    """Every method on every stream."""
    return tuple(
        case_of(name, some, stream, per_kind) for name, some in methods.items() for stream in range(1, streams + 1)
    )


def board_of(cases, compared=("anchored", "replay")):
    """A board with facts, one comparison and scaling curves."""
    a, b = ([case for case in cases if case.trial.method == name] for name in compared)
    verdicts = []
    for axis in ("atom", "composition", "general"):

        def wanted(probe, axis=axis):
            return probe.axis == axis

        one, other = ([mark for case in some for mark in marks(case, wanted)] for some in (a, b))
        verdicts.append(compare(axis, one, other, resamples=500))
    facts = Facts(
        command="everlearn bench run --tier lab --methods finetune,replay,anchored --streams 3",
        commit="0bda88f", model="lab (3.0M parameters)", machine="2 cores, 8 GB", started="2026-03-01T09:00:00+00:00",
        ended="2026-03-01T09:41:12+00:00", answers="5a" * 32,
        salts={s: hashlib.sha256(f"salt {s}".encode()).hexdigest() for s in (1, 2, 3)},
    )  # fmt: skip
    curves = tuple(curve_of(name, some) for name, some in METHODS.items() if some.learns)
    return Board(cases, "everlearn benchmark, lab tier", facts, (Compared(*compared, judge(verdicts)),), curves)


def curve_of(name, character):
    """A score that falls with every doubling."""
    values = [max(0.02, character.learns - 0.6 * (1 - character.keeps) * step) for step in range(7)]
    points = tuple(Point(4 * 2**step, value, value - 0.04, value + 0.04) for step, value in enumerate(values))
    return Curve(name, "accuracy on 16 fixed skills", "skills learnt", points)
