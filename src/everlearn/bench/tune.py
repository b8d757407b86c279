"""Methods and learning rates in; for each method the rate that does best on dev streams, as its settings, out.

Where another setting decides as much (the strength of a penalty), the rates are tried once more with it, and the best
of all trials that the log has is chosen. What is best is told by a criterion that asks for learning and keeping: the
harmonic mean of ACC and ρ, means over dev streams, ACC chance-corrected after the whole stream and ρ the general
ability left. (Of their plain mean, who learns nothing and loses nothing would have half.) No grid has these streams,
nor the general questions asked on them, and settings are frozen afterwards. Joint training is the scale of what can be
learnt at all and keeps nothing on purpose: it is chosen by ACC alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from everlearn import plugins
from everlearn.bench.arms import JOINT
from everlearn.bench.board import stream_cases
from everlearn.bench.grid import Arm, Grid, open_grid
from everlearn.bench.launch import Watch, launch
from everlearn.bench.recording import write_whole
from everlearn.bench.request import SETTINGS, Wish, resolve, usual_settings
from everlearn.bench.tiers import FIRST_DEV_SEED
from everlearn.desiderata.contract import Case, Desideratum, Score, harmonic_mean
from everlearn.errors import EverlearnError, SettingsError
from everlearn.records import decode, digest, encode

LEAST_RATES = 4
"""Learning rates that every method is tried with, at least."""

RATES = {"lab": (1e-4, 2.5e-4, 6e-4, 1.5e-3), "smollm2": (2e-5, 5e-5, 1e-4, 3e-4)}
"""By tier: a small model wants larger ones."""

OTHER_RATES = (1e-5, 3e-5, 1e-4, 3e-4)


@dataclass(frozen=True)
class Trial:
    """One method with one learning rate on all dev streams."""

    tier: str
    method: str
    learning_rate: float
    streams: tuple[int, ...]
    """Their seeds."""
    acc: float | None
    """Mean over streams; None where some stream failed."""
    rho: float | None
    criterion: float | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What else is not as the method has it by itself, or the tier for every method."""
    conditions: str = ""
    """Digest of all else that decides what comes out: only trials that have the same are compared."""
    chosen: bool = False
    at_edge: bool = False
    """Whether it was chosen although it is the lowest or highest rate tried: a better one may lie beyond."""


@dataclass(frozen=True)
class Campaign:
    """What to tune, and how.

    Raises:
        SettingsError: a method is a file and has no place for tuned settings, or what is set is of no method or a rate.
    """

    tier: str
    methods: tuple[str, ...]
    rates: tuple[float, ...]
    streams: int
    model: str = ""
    families: tuple[str, ...] = ()
    rounds: int = 0
    warmup: bool | None = None
    """As `request.Wish.warmup`."""
    settings: tuple[tuple[str, str], ...] = ()
    """Pairs of METHOD.SETTING and a value, for all trials of the method."""

    def __post_init__(self) -> None:
        for method in self.methods:
            if method.endswith(".py"):
                raise SettingsError(
                    f"{method} has no place for tuned settings", "put it into methods/, then tune it by name"
                )
        methods = [method.replace("-", "_") for method in self.methods]
        for key, _ in self.settings:
            method, _, name = key.replace("-", "_").partition(".")
            if method not in methods:
                raise SettingsError(
                    f"{key!r} does not begin with a method that is tuned", "write METHOD.SETTING=VALUE: ewc.strength=1"
                )
            if name == "learning_rate":
                raise SettingsError(f"{key!r} would be the rate of all trials", "name the rates: --rates X,Y")

    def wish(self) -> Wish:
        """The grid of all trials: an arm for each method and rate."""
        named = [(arm_name(method, rate), method, rate) for method in self.methods for rate in self.rates]
        return Wish(
            tier=self.tier,
            methods=tuple(f"{name}={method}" for name, method, _ in named),
            streams=self.streams,
            references=False,
            model=self.model,
            rounds=self.rounds,
            families=self.families,
            settings=(
                *((f"{name}.learning_rate", repr(rate)) for name, _, rate in named),
                *((f"{name}.{key}", value) for name, method, _ in named for key, value in self.of(method).items()),
            ),
            first_seed=FIRST_DEV_SEED,
            warmup=self.warmup,
        )

    def of(self, method: str) -> dict[str, str]:
        """What is set for a method."""
        pairs = ((*key.replace("-", "_").partition(".")[::2], value) for key, value in self.settings)
        return {key: value for name, key, value in pairs if name == method.replace("-", "_")}


def rates_of(tier: str, given: Sequence[float]) -> tuple[float, ...]:
    """The rates to try, in order.

    Raises:
        SettingsError: there are too few for a choice.
    """
    rates = tuple(sorted(set(given))) or RATES.get(tier, OTHER_RATES)
    if len(rates) < LEAST_RATES:
        raise SettingsError(f"{len(rates)} learning rates are too few to choose from", f"give {LEAST_RATES} or more")
    return rates


def campaign_grid(campaign: Campaign, folder: Path) -> Grid:
    """The grid of all trials, in a folder of its own.

    Raises:
        EverlearnError: an unknown method or setting.
    """
    request = resolve(campaign.wish())
    # both figures are of the end: nothing else is asked, nor are its weights kept
    return open_grid(folder, replace(request, plan=replace(request.plan, asked="end"))).grid


def tune(campaign: Campaign, grid: Grid, jobs: int, watch: Watch) -> tuple[Trial, ...]:
    """Run all trials; those that are finished in the folder are not run again."""
    launch(grid, jobs, "", watch)
    return tuple(_trial(grid, campaign, method, rate) for method in campaign.methods for rate in campaign.rates)


def choose(trials: Sequence[Trial], log: Path) -> tuple[Trial, ...]:
    """The trials of each method, beside them those that the log has of it with other settings or rates; the best of all
    marked.

    Raises:
        EverlearnError: a method has failed with every rate that was tried now.
    """
    earlier = [decode(Trial, line) for line in log.read_bytes().splitlines()] if log.is_file() else []
    found: list[Trial] = []
    for method in dict.fromkeys(trial.method for trial in trials):
        new = [trial for trial in trials if trial.method == method]
        if all(trial.criterion is None for trial in new):
            raise EverlearnError(
                f"{method} has failed with every learning rate", f"try smaller ones (--rates), or leave {method} out"
            )
        tried = [_told_by(trial) for trial in new]
        others = [trial for trial in earlier if _comparable(trial, new[0]) and _told_by(trial) not in tried]
        found += _with_choice([*(replace(trial, chosen=False, at_edge=False) for trial in others), *new])
    return tuple(found)


def _comparable(trial: Trial, other: Trial) -> bool:
    """Whether nothing but rates and settings makes them differ."""
    alike = [(each.method, each.tier, each.streams, each.conditions) for each in (trial, other)]
    return alike[0] == alike[1]


def _told_by(trial: Trial) -> str:
    """What makes a trial of a method this one."""
    return json.dumps([trial.learning_rate, trial.settings], sort_keys=True)


def keep(trials: Sequence[Trial], log: Path, settings: Path = SETTINGS) -> tuple[Path, ...]:
    """Write the log, a trial a line, and the settings of each method; returns the paths written.

    What the log says of methods that were not tuned now stays in it; of those that were, trials on other streams or
    under other conditions go.
    """
    own = {trial.method for trial in trials}
    before = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    lines = [line for line in before if json.loads(line)["method"] not in own]
    lines += [json.dumps(asdict(trial), sort_keys=True) for trial in trials]
    write_whole(log, "".join(f"{line}\n" for line in lines).encode())
    written = [log]
    for trial in trials:
        if trial.chosen:
            path = settings / trial.tier / f"{trial.method}.yaml"
            write_whole(path, _settings_text(trial, log).encode())
            written.append(path)
    return tuple(written)


def arm_name(method: str, rate: float) -> str:
    """`replay-3_0e-04`: the arm of a method with one learning rate."""
    return f"{method}-{rate:.1e}".replace(".", "_")


def _trial(grid: Grid, campaign: Campaign, method: str, rate: float) -> Trial:
    arm = arm_name(method, rate)
    cases = [case for seed in grid.request.seeds for case in stream_cases(grid, seed) if case.trial.method == arm]
    acc, rho = _mean(cases, "sequence", "ACC"), _mean(cases, "preservation", "rho")
    criterion = acc if rho is None or method == JOINT else harmonic_mean((acc, rho))
    if len(cases) < len(grid.request.seeds):
        acc = rho = criterion = None
    return Trial(
        tier=campaign.tier,
        method=method,
        learning_rate=rate,
        streams=grid.request.seeds,
        acc=acc,
        rho=rho,
        criterion=criterion,
        settings=_own(campaign.tier, grid.request.arm(arm)),
        conditions=digest(replace(grid.request, arms=(), seeds=(), model="", stream=""))[:12],
    )


def _own(tier: str, arm: Arm) -> dict[str, Any]:
    """Those of an arm's settings, but the rate, which are not what a method has by itself, or a tier for every one."""
    usual = usual_settings(tier, arm.method)
    plain = json.loads(encode(arm.settings))
    return {name: value for name, value in plain.items() if name != "learning_rate" and value != usual[name]}


def _mean(cases: Sequence[Case], desideratum: str, name: str) -> float | None:
    """Mean over streams of a score; None where it is undefined on one of them."""
    scorer = plugins.find("desiderata", desideratum, Desideratum)()
    values = [_named(scorer.scores(case), name) for case in cases]
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _named(scores: Sequence[Score], name: str) -> float | None:
    return next(score.value for score in scores if score.name == name)


def _with_choice(trials: Sequence[Trial]) -> list[Trial]:
    """The trials of one method, the best of them marked."""
    able = [trial for trial in trials if trial.criterion is not None]
    best = max(able, key=lambda trial: trial.criterion or 0.0)
    rates = [trial.learning_rate for trial in trials if trial.settings == best.settings]
    edges = {min(rates), max(rates)}
    marked = replace(best, chosen=True, at_edge=best.learning_rate in edges)
    return [marked if trial is best else trial for trial in trials]


def _settings_text(trial: Trial, log: Path) -> str:
    """A settings file: exactly what the best trial had."""
    import yaml

    joint = trial.method == JOINT
    values = {**trial.settings, "learning_rate": trial.learning_rate}
    criterion = "ACC" if joint else "harmonic mean of ACC and rho"
    said = (
        f"# Tuned on dev streams {trial.streams[0]} to {trial.streams[-1]}: {criterion} = {trial.criterion:.3f}.\n"
        f"# The log of all trials: {log.name}\n"
    )
    return said + yaml.safe_dump(values, sort_keys=True)
