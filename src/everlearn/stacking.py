"""The name of a method, or several joined by +, in; one method class that has all their hooks out.

`replay+ewc` trains once, with the earlier examples of the one and the penalty of the other. Settings that all methods
have are given once; each other one has its own name, with its method's in front where two are called alike. What two
methods cannot both decide is refused.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import torch

from everlearn import plugins
from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory, Method, Mixture
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Question
from everlearn.settings import Setting, settings_of
from everlearn.train.loop import RUNNING, Held, Step
from everlearn.train.run import Run

PLUS = "+"
PARTS = "parts"
"""Where the memories of the parts are while a stage is learnt."""

UNDIVIDED = ("weights", "where")
"""Settings of all methods that two parts must not want differently."""


def method_called(name: str) -> type[Method]:
    """The method class called `name`: a plug-in's name or path, or several of them joined by +.

    Raises:
        PluginError: there is no such method, or its file cannot be loaded.
        SettingsError: the methods make no sense together.
    """
    names = [name] if Path(name).is_file() else name.split(PLUS)
    kinds = [plugins.find("methods", each, Method) for each in names]
    return kinds[0] if len(kinds) == 1 else _stacked(dict(zip(map(_short, names), kinds, strict=True)), names)


class Stacked(Gradient):
    """Several methods that train together: each has its say at every hook, in the order in which they are named."""

    kinds: ClassVar[Mapping[str, type[Gradient]]]
    """By name, the methods."""
    places: ClassVar[Mapping[str, Mapping[str, str]]]
    """By method, the name that each of its settings has here."""

    @functools.cached_property
    def parts(self) -> dict[str, Gradient]:
        """The methods, with their settings."""
        return {
            name: kind(**{setting: getattr(self, place) for setting, place in self.places[name].items()})
            for name, kind in self.kinds.items()
        }

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Let each part prepare with its own memory."""
        own = {name: _own(memory, name) for name in self.parts}
        return {PARTS: {name: part.prepare(model, examples, own[name], run) for name, part in self.parts.items()}}

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """What each part makes of the fresh examples, one after the other; one of them at most has old ones."""
        own = memory.get(PARTS) or {name: _own(memory, name) for name in self.parts}  # a forecast asks before it begins
        mixture = Mixture(fresh)
        for name, part in self.parts.items():
            made = part.examples(mixture.fresh, own[name])
            mixture = made if made.old else Mixture(made.fresh, mixture.old, mixture.old_per_step)
        return mixture

    def row(self, model: LanguageModel, example: Example, memory: Memory) -> Row:
        """What is learnt of an example: the tokens that every part would learn."""
        rows = [part.row(model, example, memory[PARTS][name]) for name, part in self.parts.items()]
        return Row(rows[0].ids, tuple(map(all, zip(*(row.learn for row in rows), strict=True))))

    def live(self, model: LanguageModel, step: Step, number: int, memory: Memory, run: Run) -> Step:
        """What the parts make of a step, one after the other."""
        for name, part in self.parts.items():
            step = part.live(model, step, number, memory[PARTS][name], run)
        return step

    def penalty(self, model: LanguageModel, memory: Memory, step: int) -> torch.Tensor | None:
        """The sum of all penalties."""
        found = [part.penalty(model, memory[PARTS][name], step) for name, part in self.parts.items()]
        known = [penalty for penalty in found if penalty is not None]
        return torch.stack(known).sum() if known else None

    def weigh(self, nll_N: torch.Tensor, memory: Memory, step: int) -> torch.Tensor | None:
        """The product of all weights."""
        product: torch.Tensor | None = None
        for name, part in self.parts.items():
            weights = part.weigh(nll_N, memory[PARTS][name], step)
            if weights is not None:
                product = weights if product is None else product * weights
        return product

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """All projections, one after the other."""
        for name, part in self.parts.items():
            part.project(model, gradients, memory[PARTS][name], step)

    def after_step(self, model: LanguageModel, memory: Memory, step: int) -> None:
        """All changes of the masters, one after the other."""
        for name, part in self.parts.items():
            part.after_step(model, memory[PARTS][name], step)

    def running(self, memory: Memory) -> dict[str, torch.Tensor]:
        """What all parts carry."""
        found = {name: part.running(memory[PARTS][name]) for name, part in self.parts.items()}
        return {f"{name}.{key}": tensor for name, carried in found.items() for key, tensor in carried.items()}

    def resume(self, memory: Memory, kept: dict[str, torch.Tensor]) -> None:
        """Give each part what it carried."""
        for name, part in self.parts.items():
            part.resume(memory[PARTS][name], _own(kept, name))

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Let each part finish; what they keep bears their names."""
        whole: Memory = {}
        for name, part in self.parts.items():
            kept = part.finish(model, examples, memory[PARTS][name], run)
            whole |= {f"{name}.{key}": value for key, value in kept.items() if key != RUNNING}
        return whole

    @property
    def is_live(self) -> bool:
        """Whether one of the parts is."""
        return any(part.is_live for part in self.parts.values())

    def all_held(self, memory: Memory, steps: int) -> Iterator[tuple[Held, ...]]:
        """For each step what all parts hold the model to."""
        each = (part.all_held(memory[PARTS][name], steps) for name, part in self.parts.items())
        return (tuple(one for held in helds for one in held) for helds in zip(*each, strict=True))


def _prompt(self: Stacked, question: Question, memory: Memory) -> Question:
    """What the parts make of a question, one after the other."""
    for name, part in self.parts.items():
        question = part.prompt(question, _own(memory, name))
    return question


def _routes(
    self: Stacked, model: LanguageModel, prompts: Sequence[Sequence[int]], memory: Memory
) -> Iterator[list[int]]:
    """The routes of the one part that has some."""
    chooser = next(name for name, part in self.parts.items() if part.chooses())
    return self.parts[chooser].routes(model, prompts, _own(memory, chooser))


def _stacked(kinds: Mapping[str, type[Method]], names: Sequence[str]) -> type[Method]:
    """The class of methods that train together."""
    if len(kinds) < len(names):
        raise SettingsError(f"{PLUS.join(names)} names a method twice", "name each once")
    able = {name: kind for name, kind in kinds.items() if issubclass(kind, Gradient)}
    if alone := [name for name in kinds if name not in able]:
        raise SettingsError(f"{alone[0]} does not train by gradients, so nothing can join it", f"use {alone[0]} alone")
    if alone := [name for name, kind in able.items() if kind.learn is not Gradient.learn]:
        raise SettingsError(f"{alone[0]} trains in a way of its own, so nothing can join it", f"use {alone[0]} alone")
    _require_sense(able)
    shared, places, own = _settings(able)
    fields = [(setting.name, setting.type, dataclasses.field(default=setting.default)) for setting in (*shared, *own)]
    namespace: dict[str, Any] = {
        "kinds": able,
        "places": places,
        "__module__": __name__,
        "__doc__": f"{' and '.join(able)} at once.",
        "family": ", ".join(dict.fromkeys(kind.family for kind in able.values())),
        "keeps": "; ".join(dict.fromkeys(kind.keeps for kind in able.values() if kind.keeps != Method.keeps))
        or Method.keeps,
        "cost": "; ".join(f"{name}: {kind.cost}" for name, kind in able.items()),
    }
    if any(kind.prompt is not Method.prompt for kind in able.values()):
        namespace["prompt"] = _prompt
    if any(kind.chooses() for kind in able.values()):
        namespace["routes"] = _routes
    made = dataclasses.make_dataclass(PLUS.join(able), fields, bases=(Stacked,), namespace=namespace, frozen=True)
    made.SETTING_HELP = {setting.name: setting.help for setting in (*shared, *own)}  # type: ignore[attr-defined]
    return made


def _settings(
    kinds: Mapping[str, type[Gradient]],
) -> tuple[list[Setting], dict[str, dict[str, str]], list[Setting]]:
    """Settings that all methods have, the first part's own default before the usual one; by part the place of each of
    its settings; and the parts' own, each with its place as its name."""
    usual = {setting.name: setting for setting in _settings_of(Gradient)}
    shared = dict(usual)
    for kind in reversed(list(kinds.values())):
        shared |= {s.name: s for s in _settings_of(kind) if s.name in usual and s.default != usual[s.name].default}
    own = {name: [s for s in _settings_of(kind) if s.name not in usual] for name, kind in kinds.items()}
    counts = [setting.name for some in own.values() for setting in some]
    places = {name: {setting: setting for setting in usual} for name in kinds}
    named = []
    for name, some in own.items():
        for setting in some:
            place = setting.name if counts.count(setting.name) == 1 else f"{name}_{setting.name}"
            places[name][setting.name] = place
            named.append(setting._replace(name=place))
    return list(shared.values()), places, named


def _settings_of(kind: type[Method]) -> tuple[Setting, ...]:
    return settings_of(cast(Any, kind))


def _require_sense(kinds: Mapping[str, type[Gradient]]) -> None:
    """Refuse methods that decide the same.

    Raises:
        SettingsError: two of them claim one thing, or want different weights to change; or one adds weights that
            another would look for in vain.
    """
    growing = [name for name, kind in kinds.items() if kind.grows]
    comparing = [name for name, kind in kinds.items() if kind.each_weight]
    if growing and comparing:
        raise SettingsError(
            f"{growing[0]} adds weights, and {comparing[0]} compares each with what it was",
            f"leave one of {growing[0]} and {comparing[0]} out",
        )
    claimed: dict[str, str] = {}
    for name, kind in kinds.items():
        for claim in kind.claims:
            if claim in claimed:
                raise SettingsError(
                    f"{claimed[claim]} and {name} both decide {claim}", f"leave one of {claimed[claim]} and {name} out"
                )
            claimed[claim] = name
    for word in UNDIVIDED:
        wanted = {
            name: getattr(kind, word) for name, kind in kinds.items() if getattr(kind, word) != getattr(Gradient, word)
        }
        if len(set(wanted.values())) > 1:
            said = ", ".join(f"{name} wants {word}={value}" for name, value in wanted.items())
            raise SettingsError(f"{said}: a model changes in one way", "leave one of them out")


def _own(whole: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What bears a part's name, without it."""
    return {key[len(name) + 1 :]: value for key, value in whole.items() if key.startswith(f"{name}.")}


def _short(name: str) -> str:
    return Path(name).stem if name.endswith(".py") else name.replace("-", "_")
