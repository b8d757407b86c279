"""What must hold of every score: of a perfect learner, of one that learns nothing, and of one that forgets."""

import random

import pytest

from desiderata.hand_made import asked, case, moment, reference
from everlearn import plugins
from everlearn.bench.profile import profile
from everlearn.desiderata.contract import Case, Desideratum, Score, Trial
from everlearn.records import Cost

STAGES = 4
NAMES = plugins.names("desiderata")


def probes():
    found = [asked(f"general{n}", axis="general", kind=f"skill{n % 2}") for n in range(6)]
    found += [asked(f"read{n}", axis="general", kind="reading") for n in range(2)]
    for s in range(1, STAGES + 1):
        found += [asked(f"atom{s}{n}", s, key=f"k{s}{n}") for n in range(3)]
        found += [asked(f"derived{s}", s, axis="derived", kind="reverse")]
        found += [
            asked(f"named{s}", s, key=f"skill{s}", cue="cued"),
            asked(f"implied{s}", s, key=f"skill{s}", cue="uncued"),
        ]
        for word, explicit in (("latent", False), ("explicit", True)):
            found += [
                asked(f"within {word}{s}", s, "composition", "hop", atoms=(f"k{s}0", f"k{s}1"), explicit=explicit)
            ]
            if s > 2:
                pair = (f"k{s - 2}0", f"k{s}0")
                found += [asked(f"cross {word}{s}", (s - 2, s), "composition", "hop", atoms=pair, explicit=explicit)]
        if s > 1:
            for name, stages in (("adapt", (s - 1, s)), ("scope", (s - 1, s)), ("resist", (s - 1, s)),
                                 ("near", s - 1), ("far", s - 1)):  # fmt: skip
                found += [asked(f"{name}{s}", stages, name, family="trust")]
        if s > 2:
            found += [asked(f"back{s}", (s - 2, s - 1, s), "adapt", "revert", family="trust")]
    return tuple(found)


PROBES = probes()
GENERAL = {probe.id for probe in PROBES if probe.axis == "general"}


def learnt(stage):
    """What one who misses nothing knows after a stage; what a text should not change is known one stage earlier, and
    what is changed back was so at first."""
    known = {p.id for p in PROBES if p.stage - (p.axis == "resist") <= stage}
    return known | {p.id for p in PROBES if p.kind == "revert" and p.stages[0] == stage}


def taught(stage):
    """What belongs to one stage."""
    return {probe.id for probe in PROBES if probe.stage == stage} | GENERAL


def at(stage, right, share=1.0, nll=1.0):
    cost = Cost(tokens={"new": 100}, flops=1e6)
    return moment(
        stage, PROBES, right, share, text_nll=nll, kl_general=nll - 1, kl_new=nll - 1, next_nll=nll + stage, cost=cost
    )


def made(moments):
    """A case with all references; those are perfect."""
    base = at(0, GENERAL)
    joint = reference("joint", moment(STAGES, PROBES, learnt(STAGES), cost=Cost(flops=1e6 * STAGES)))
    solo = reference("solo", *(at(stage, taught(stage)) for stage in range(1, STAGES + 1)))
    context = reference("context", moment(STAGES, PROBES, learnt(STAGES)))
    reading = {probe.id: 20 for probe in PROBES}
    return case(
        PROBES, [base, *moments], STAGES, base=base, joint=joint, solo=solo, context=context, reading_tokens=reading
    )


def perfect():
    moments = []
    for stage in range(1, STAGES + 1):
        moments += [at(stage, learnt(stage), share=0.5)] if stage in (2, 3) else []
        moments.append(at(stage, learnt(stage)))
    return made(moments)


def idle():
    return made([at(stage, GENERAL) for stage in range(1, STAGES + 1)])


def forgetful():
    return made([at(stage, taught(stage) - {"general0", "general2"}, nll=1.5) for stage in range(1, STAGES + 1)])


def scores(made: Case) -> dict[str, Score]:
    found = [score for name in NAMES for score in plugins.find("desiderata", name, Desideratum)().scores(made)]
    assert len({score.name for score in found}) == len(found), "names are unique over all desiderata"
    return {score.name: score for score in found}


def values(made, *wanted):
    found = scores(made)
    return [found[name].value for name in wanted]


def test_the_folder_holds_scores_only():
    assert len(NAMES) == 10
    assert all(plugins.find("desiderata", name, Desideratum).question.endswith("?") for name in NAMES)


def test_a_perfect_learner_has_the_best_scores():
    ones = ("rho", "ACC", "LA", "min-ACC", "WC-ACC", "JNS", "RP", "MS", "JNS at budget", "CS_cross", "AU", "OW",
            "Adapt", "Resist", "Scope", "Locality near", "Locality far", "Locality", "revert", "cued",
            "uncued", "Resist if known", "Locality near if known", "Locality far if known")  # fmt: skip
    ones += tuple(f"{name}, {sort}" for name in ("CS", "CC", "CC over joint") for sort in ("latent", "explicit"))
    zeros = ("BWT", "FWT", "forgetting", "gap to solo", "general", "worst skill", "general NLL", "KL general", "KL new",
             "BWT by shift", "BWT near", "BWT far", "G_ICL", "G_ICL atom", "learning by stage", "plasticity loss",
             "in-context change", "context tokens", "FLOPs per question", "per doubling", "per doubling, fixed",
             "cross-stage penalty, latent", "composition gap, latent")  # fmt: skip
    assert values(perfect(), *ones) == pytest.approx([1] * len(ones))
    assert values(perfect(), *zeros) == pytest.approx([0] * len(zeros), abs=1e-12)
    assert scores(perfect())["trust d′"].value > 1
    assert profile(scores(perfect()).values()).single.value == pytest.approx(1)


def test_one_that_learns_nothing_keeps_all_and_has_learnt_nothing():
    assert values(idle(), "rho", "worst skill", "general NLL") == [1, 0, 0]
    assert values(idle(), "ACC", "LA", "JNS", "JNS at budget", "RP", "CS_cross", "Adapt", "OW") == [0] * 8
    assert values(idle(), "BWT", "forgetting") == [0, 0]  # nothing to forget: why neither may stand alone
    assert values(idle(), "gap to solo", "G_ICL") == [1, 1]
    assert profile(scores(idle()).values()).single.value is None


def test_one_that_forgets_is_caught():
    found = scores(forgetful())
    assert found["LA"].value == 1
    assert (found["BWT"].value, found["forgetting"].value, found["min-ACC"].value) == (-1, 1, 0)
    assert found["ACC"].value == pytest.approx(1 / STAGES)
    assert found["rho"].value < 0.95
    assert found["worst skill"].value < 0
    assert found["general NLL"].value == pytest.approx(0.5)
    assert found["per doubling"].value < 0
    assert found["Locality"].value == 0
    assert found["CS_cross"].value < 1
    # skill0 keeps 1 of 3, skill1 and reading all: (1/3 + 1 + 1) / 3
    assert profile(found.values()).single.note == "rho is 0.78, below 0.95"


@pytest.mark.parametrize("seed", range(20))
def test_nothing_beats_a_perfect_learner(seed):
    draw = random.Random(seed)
    some = made([at(s, {p.id for p in PROBES if draw.random() < 0.7 and p.stage <= s}) for s in range(1, STAGES + 1)])
    best, found = scores(perfect()), scores(some)
    # RP, BWT and slopes reward what a perfect learner has from the start; the rest has a ceiling
    for name in ("rho", "ACC", "LA", "WC-ACC", "JNS", "Adapt", "Resist", "OW", "Locality", "Scope", "cued", "trust d′"):
        assert found[name].value is None or found[name].value <= best[name].value + 1e-9, name


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_named_alike_for_every_case_and_say_why_they_are_undefined(name):
    desideratum = plugins.find("desiderata", name, Desideratum)()
    bare = [asked("only", 1)]
    cases = [
        perfect(), idle(), forgetful(),
        case(bare, [moment(1, bare, "only")], 1),
        case([], [moment(0, [], "")], 0),
        case(bare, [moment(0, bare, "")], 3),
        Case(Trial("joint", 1, (moment(3, bare, "only"),)), tuple(bare), 3, 1, moment(0, bare, "")),
    ]  # fmt: skip
    expected = [(score.name, score.better, score.unit) for score in desideratum.scores(cases[0])]
    for made in cases:
        found = desideratum.scores(made)
        assert [(score.name, score.better, score.unit) for score in found] == expected
        assert all(score.note for score in found if score.value is None)
