"""What a person asks for in, a request with every setting settled out.

A method's settings are its own defaults, over them what was tuned for the tier (`settings/TIER/METHOD.yaml`), over that
what the person sets. References learn by the settings of finetuning; joint training by its own where it was tuned.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from everlearn import __version__
from everlearn.bench.arms import BASE, CONTEXT, JOINT, LEARNER, REFERENCES, UNTAUGHT, USUAL, WRONG
from everlearn.bench.grid import Arm, Request
from everlearn.bench.source import digest_of
from everlearn.bench.stream import Plan, family
from everlearn.bench.tiers import FIRST_SEED, Tier, tier
from everlearn.bench.user_stream import stage_folders
from everlearn.errors import SettingsError
from everlearn.model.cache import model_directory, weights_digest
from everlearn.records import encode
from everlearn.settings import nearest, settings_of, values_of, with_values
from everlearn.stacking import method_called
from everlearn.study.lesson import DEFAULT as DEFAULT_STUDY

if TYPE_CHECKING:
    from everlearn.bench.warmup import Warmed

SETTINGS = Path(__file__).parent / "settings"
"""What was tuned on streams that no grid has: a folder for each tier, a file for each method."""

EVERY = "every"
"""The file that holds for every method which has a setting of that name."""

NAME = re.compile(r"[a-z0-9][a-z0-9_+-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Wish:
    """What a person asks for; what is left out is the tier's."""

    tier: str
    methods: tuple[str, ...]
    """Each a plug-in's name or path, or `NAME=METHOD` to have one method twice."""
    streams: int = 1
    references: bool = True
    boundaries: Literal["hint", "none"] = "hint"
    model: str = ""
    rounds: int = 0
    families: tuple[str, ...] = ()
    stream: Path | None = None
    """A person's own folder of stages."""
    study: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    """Pairs of ARM.SETTING and a value."""
    first_seed: int = FIRST_SEED
    warmup: bool | None = None
    """Whether the model is warmed up first; None for what the tier does, and not for a person's own stages."""


def resolve(wish: Wish) -> Request:
    """The request that this comes to.

    Raises:
        EverlearnError: an unknown tier, method, family or setting, a model that is missing or cannot be warmed up, or a
            folder without stages.
    """
    chosen = tier(wish.tier)
    model = _model(wish, chosen)
    if wish.streams < 1:
        raise SettingsError(f"{wish.streams} streams were asked for", "ask for one at least, and five to compare")
    own = wish.stream is not None
    if own:
        stage_folders(wish.stream or Path())
    plan, arms = _plan(wish, chosen), _arms(wish)
    warm = _warmed(wish, chosen, model)  # last: it may take minutes
    model = str(warm.folder) if warm else model
    return Request(
        version=__version__,
        tier=wish.tier,
        model=model,
        model_digest=weights_digest(model_directory(model)),
        plan=plan,
        per_skill=chosen.per_skill,
        arms=arms,
        seeds=tuple(range(wish.first_seed, wish.first_seed + wish.streams)),
        boundaries=wish.boundaries,
        stream=str(wish.stream.resolve()) if wish.stream else "",
        stream_digest=digest_of(wish.stream) if wish.stream else "",
        study=(wish.study or DEFAULT_STUDY) if own else "",
        warmup=warm.facts if warm else None,
    )


def tuned(tier_name: str, method: str) -> dict[str, Any]:
    """What a method's settings are on a tier: what is there for every method that has a setting of that name, and over
    it what is the method's own. For `joint`, where nothing is, those of finetuning.

    Raises:
        EverlearnError: a file holds no settings, or there is no such method.
    """
    shared = _shared(tier_name, method_called(LEARNER if method == JOINT else method))
    own = own_settings(tier_name, method)
    if method == JOINT and not own:
        own = own_settings(tier_name, LEARNER)
    return {**shared, **own}


def usual_settings(tier_name: str, method: str) -> dict[str, Any]:
    """All settings of a method, as JSON has them: its defaults, over them those that the tier has for every method.

    Raises:
        SettingsError: a file holds no settings, or there is no such method.
    """
    kind = method_called(LEARNER if method == JOINT else method)
    usual: dict[str, Any] = json.loads(encode(values_of(with_values(kind, _shared(tier_name, kind)))))
    return usual


def _shared(tier_name: str, kind: Any) -> dict[str, Any]:
    """What a tier has for every method that has a setting of that name."""
    names = {setting.name for setting in settings_of(kind)}
    return {name: value for name, value in own_settings(tier_name, EVERY).items() if name in names}


def own_settings(tier_name: str, name: str) -> dict[str, Any]:
    """What a settings file says; empty where there is none.

    Raises:
        SettingsError: the file holds no settings.
    """
    import yaml

    path = SETTINGS / tier_name / f"{name}.yaml"
    found = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}
    if not isinstance(found, dict):
        raise SettingsError(f"{path} holds no settings", "write one a line: learning_rate: 1.0e-3")
    return found


def arm_of(tier_name: str, name: str, method: str, overrides: Mapping[str, Any]) -> Arm:
    """An arm with all its settings; one whose method is `joint` has those of finetuning.

    Raises:
        EverlearnError: an unknown method or setting.
    """
    values = {**tuned(tier_name, method), **overrides}
    built = with_values(method_called(LEARNER if method == JOINT else method), values)
    source = hashlib.sha256(Path(method).read_bytes()).hexdigest() if method.endswith(".py") else ""
    return Arm(name, method, values_of(built), source)


def _model(wish: Wish, chosen: Tier) -> str:
    """The model's name; a directory is named by its absolute path, so that every process finds it."""
    if not wish.model and chosen.model is None:
        raise SettingsError(
            f"tier {chosen.name} has no model of its own", "name one: --model ALIAS, DIRECTORY or hub id"
        )
    name = wish.model or (chosen.model() if chosen.model else "")
    folder = Path(name).expanduser()
    return str(folder.resolve()) if folder.is_dir() else name


def _warmed(wish: Wish, chosen: Tier, model: str) -> Warmed | None:
    """The warmed-up model, made now if it is wanted and not there.

    Raises:
        SettingsError: the tier's models are not warmed up.
    """
    if wish.warmup and not chosen.warmup:
        raise SettingsError(f"tier {chosen.name} has no warm-up", "leave --warmup out")
    wanted = wish.stream is None if wish.warmup is None else wish.warmup
    if not (wanted and chosen.warmup):
        return None
    from everlearn.bench.warmup import warmed

    return warmed(model, chosen.candidates().questions)


def _plan(wish: Wish, chosen: Tier) -> Plan:
    if wish.stream:
        return Plan((), 0)
    plan = chosen.plan()
    if wish.rounds:
        plan = replace(plan, rounds=wish.rounds)
    if wish.families:
        plan = replace(plan, families=tuple(_located(name) for name in wish.families), together=0)
    for name in plan.families:
        family(name)
    return plan


def _arms(wish: Wish) -> tuple[Arm, ...]:
    """The base, the other references, then the methods, each once."""
    asked = _asked(wish.methods)
    wanted = USUAL if wish.references else (BASE,)
    references = [name for name in REFERENCES if name in wanted or name in asked]
    if wish.stream:  # nobody has written notes that suffice, and there is no other stream to learn
        references = [name for name in references if name not in (CONTEXT, WRONG)]
    overrides = _overrides(wish.settings, [*asked, LEARNER])
    arms = []
    for name in references:
        learnt = arm_of(wish.tier, name, JOINT if name == JOINT else LEARNER, overrides.get(LEARNER, {}))
        arms.append(Arm(name, "") if name in UNTAUGHT else learnt)
    for name, method in asked.items():
        if name not in REFERENCES:
            arms.append(arm_of(wish.tier, name, method, overrides.get(name, {})))
    return tuple(arms)


def _asked(words: Sequence[str]) -> dict[str, str]:
    """The methods by the names of their arms.

    Raises:
        SettingsError: there is none, two have one name, or one has that of a reference.
    """
    if not words:
        raise SettingsError("no method was named", "name one at least: --methods finetune")
    found: dict[str, str] = {}
    for name, method in map(_named, words):
        if name in found:
            raise SettingsError(f"two arms are called {name!r}", "give one of them another name: NAME=METHOD")
        if name in REFERENCES and method.replace("-", "_") != name:
            raise SettingsError(f"{name!r} is the name of a reference", "give it another name: NAME=METHOD")
        found[name] = method
    return found


def _named(word: str) -> tuple[str, str]:
    """An arm's name and its method."""
    name, equals, method = word.partition("=")
    method = _located(method if equals else name)
    name = name if equals else Path(name).stem if name.endswith(".py") else name.replace("-", "_")
    if not NAME.fullmatch(name):
        raise SettingsError(f"{name!r} cannot be the name of an arm", "use letters, digits, -, + and _: NAME=METHOD")
    return name, method


def _located(name: str) -> str:
    """A plug-in's name as it is; a file's as an absolute path."""
    return str(Path(name).resolve()) if name.endswith(".py") else name


def _overrides(pairs: Iterable[tuple[str, str]], arms: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, value in pairs:
        arm, dot, setting = key.partition(".")
        if not dot or arm not in arms:
            raise SettingsError(f"{key!r} does not begin with the name of an arm and a dot", nearest(arm, arms))
        found.setdefault(arm, {})[setting] = value
    return found
