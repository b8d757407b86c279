"""Steps (rows to learn from) and a method's hooks in, changed weights out: the one training loop.

The loop resumes from the last checkpoint to bit-identical weights, because everything that happens in a
step depends on the step's number, the masters and the optimiser's state alone (on a CPU: a GPU may add in any order).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch

from everlearn.errors import TrainingError
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.model.masters import Masters
from everlearn.model.packing import Packed, pack
from everlearn.records import Example
from everlearn.train.losses import Teacher, cross_entropy, top_k_kl
from everlearn.train.optimiser import Optimisation, Optimiser, named, those
from everlearn.train.run import Progress, Run

WARMUP = 0.1
"""Share of the steps over which the learning rate rises."""

RUNNING = "running"
"""What the names of what hooks carry begin with in a checkpoint."""


class Held(NamedTuple):
    """Texts on which the model is held to a teacher's beliefs, by `strength` times the divergence from them."""

    rows: tuple[Row, ...]
    teacher: Teacher
    """Its beliefs at the targets of all rows, in order."""
    strength: float
    alpha: float = 0.0
    """0: KL(teacher ‖ model); 1: KL(model ‖ teacher); between: the Jensen-Shannon divergence of that skew."""


class Step(NamedTuple):
    """What one optimiser step is made from."""

    rows: tuple[Row, ...]
    """Learnt by cross-entropy; the last `replayed` of them come from memory."""
    replayed: int = 0
    held: tuple[Held, ...] = ()
    weights: tuple[float, ...] = ()
    """Of each row in the loss, below zero to unlearn it; 1 for each where empty."""
    examples: tuple[Example, ...] = ()
    """What the rows were made of, in order, for who looks at them again while training."""


def held_instead(step: Step, replaced: Collection[int], rows: tuple[Row, ...], teacher: Teacher, alpha: float) -> Step:
    """A step in which rows are held to a teacher in the place of those that are `replaced` (by number), and in which
    every target counts alike, whichever way it is learnt."""
    left = [at for at in range(len(step.rows)) if at not in replaced]
    told, plain = sum(row.targets for row in rows), sum(step.rows[at].targets for at in left)
    weights = step.weights or (1.0,) * len(step.rows)
    return step._replace(
        rows=tuple(step.rows[at] for at in left),
        weights=tuple(weights[at] * plain / (told + plain) for at in left),
        examples=tuple(step.examples[at] for at in left),
        held=(*step.held, Held(rows, teacher, told / (told + plain), alpha)),
    )


class Hooks:
    """What a method may add to each step; nothing by itself."""

    def penalty(self, model: LanguageModel, step: int) -> torch.Tensor | None:
        """A further loss of the weights, on top of the step's own."""
        return None

    def weigh(self, nll_N: torch.Tensor, step: int) -> torch.Tensor | None:
        """By what each target of the step's rows is multiplied in the loss; `nll_N` has no gradient."""
        return None

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], step: int) -> None:
        """Change the gradients (bf16, by name) before the optimiser sees them, in place or by others."""

    def after_step(self, model: LanguageModel, step: int) -> None:
        """Change the masters after the optimiser has moved them: `model.masters[name] = tensor`."""

    def running(self) -> Mapping[str, torch.Tensor]:
        """What is carried from step to step beside the masters, to be kept with them."""
        return {}

    def resume(self, kept: dict[str, torch.Tensor]) -> None:
        """Go on from what `running` gave before a crash."""


def fit(
    model: LanguageModel, steps: Sequence[Step], hooks: Hooks, how: Optimisation, run: Run, live: bool = False
) -> None:
    """Change the model's masters by one optimiser step for each of `steps`.

    Args:
        live: whether `steps` makes each step when it is asked for, by the model as it is then; none is looked at twice,
            or before its turn.

    Raises:
        TrainingError: the loss or a gradient is not a number.
    """
    masters = model.masters
    optimiser = Optimiser(model, how)
    tail = _Tail(masters, len(steps) - round(how.tail * len(steps)))
    begin = _resume(model, optimiser, tail, hooks, run)
    clock = _Clock(len(steps), begin)
    run.tell(Progress("reading the lesson", 0, len(steps)))
    if not live:
        model.remember(row for step in steps for row in _rows(step))  # looked at only where it can be remembered
    ahead = None if live else _packed(steps, begin)
    for number in range(begin, len(steps)):
        step, batch = ahead or _taken(steps[number])
        computed = _backward(model, step, batch, hooks, number, how.opening)
        _count(step, batch.tokens, run)
        ahead = None if live else _packed(steps, number + 1)  # a GPU is still at work
        loss = _move(model, hooks, optimiser, number, _rate(number, len(steps)), computed)
        hooks.after_step(model, number)
        tail.add(number)
        run.tell(clock.tick(number + 1, loss, sum(len(row.ids) for row in step.rows)))
        if run.checkpoints.due():
            carried = named(RUNNING, hooks.running())
            run.checkpoints.save(number + 1, {**masters.state(), **tail.state(), **optimiser.state(), **carried})
    if begin < len(steps) or tail.mean:  # what follows (the exam) may crash too; no more moments are needed
        tail.settle(model)
        run.checkpoints.save(len(steps), masters.state())


def _move(
    model: LanguageModel, hooks: Hooks, optimiser: Optimiser, number: int, rate: float, loss: torch.Tensor
) -> float:
    """Use up the gradients: none must be left when the next step makes its own, or there is room for both."""
    gradients = collect_gradients(model)
    hooks.project(model, gradients, number)
    return optimiser.step(gradients, rate, loss)


def _packed(steps: Sequence[Step], number: int) -> tuple[Step, Packed] | None:
    """A step with its line; None behind the last."""
    return _taken(steps[number]) if number < len(steps) else None


def _taken(step: Step) -> tuple[Step, Packed]:
    return step, pack(_rows(step))


def _rows(step: Step) -> list[Row]:
    return [*step.rows, *(row for held in step.held for row in held.rows)]


def _backward(
    model: LanguageModel, step: Step, batch: Packed, hooks: Hooks, number: int, opening: float
) -> torch.Tensor:
    """Gradients of all losses onto the network; returns the weighted cross-entropy of the step's rows."""
    logits_NV = model.logits(batch)
    learnt = int((batch.row_N < len(step.rows)).sum())
    loss = _of_rows(step, batch, logits_NV[:learnt], hooks, number, opening)
    total, at = loss, learnt
    for held in step.held:
        end = at + sum(row.targets for row in held.rows)
        total = total + held.strength * top_k_kl(held.teacher.to(model.device), logits_NV[at:end], held.alpha)
        at = end
    further = hooks.penalty(model, number)
    if further is not None:
        total = total + further
    torch.autograd.backward(total)
    return loss.detach()


def _of_rows(
    step: Step, batch: Packed, logits_NV: torch.Tensor, hooks: Hooks, number: int, opening: float
) -> torch.Tensor:
    """Cross-entropy of what is learnt; a row's weight, and what a method says of each target, scale it."""
    count = len(logits_NV)
    if not count:  # a step may be held texts alone
        return torch.zeros((), device=logits_NV.device)
    targets_N, opening_N, row_N = (
        each[:count].to(logits_NV.device) for each in (batch.targets_N, batch.opening_N, batch.row_N)
    )

    def scaled(nll_N: torch.Tensor) -> torch.Tensor | None:
        said_N = hooks.weigh(nll_N, number)
        if not step.weights:
            return said_N
        own_N = torch.tensor(step.weights, device=row_N.device)[row_N]
        return own_N if said_N is None else own_N * said_N

    return cross_entropy(logits_NV, targets_N, torch.where(opening_N, opening, 1.0), scaled)


def _count(step: Step, tokens: int, run: Run) -> None:
    """Meter the tokens of a batch by what they were for."""
    held = sum(len(row.ids) for one in step.held for row in one.rows)
    replayed = sum(len(row.ids) for row in step.rows[len(step.rows) - step.replayed :])
    whole = held + sum(len(row.ids) for row in step.rows)
    synthetic, again = round(tokens * held / whole), round(tokens * replayed / whole)
    run.meter.learnt("synthetic", synthetic)
    run.meter.learnt("replayed", again)
    run.meter.learnt("new", tokens - synthetic - again)


def collect_gradients(model: LanguageModel) -> dict[str, torch.Tensor]:
    """The gradients of the weights that may change, by name, taken off them."""
    gradients = {}
    for name, weight in model.weights().items():
        if weight.grad is not None:
            gradients[name] = weight.grad.to_dense() if weight.grad.is_sparse else weight.grad
            weight.grad = None
    return gradients


def _rate(step: int, steps: int) -> float:
    """Linear warm-up, then linear decay to zero."""
    warmup = max(1, round(WARMUP * steps))
    if step < warmup:
        return (step + 1) / warmup
    return (steps - step) / (steps - warmup + 1)


class _Tail:
    """The mean of the masters over the last steps (Polyak and Juditsky 1992; Izmailov et al. 1803.05407): it wavers
    less than the last step's masters do, and answers more questions that were not trained."""

    def __init__(self, masters: Masters, begin: int) -> None:
        self.masters = masters
        self.begin = begin
        self.mean: dict[str, torch.Tensor] = {}

    def add(self, step: int) -> None:
        count = step - self.begin + 1
        if count == 1:
            self.mean = dict(self.masters)
        elif count > 1:
            for name, master in self.masters.items():
                self.mean[name].lerp_(master, 1 / count)

    def settle(self, model: LanguageModel) -> None:
        if self.mean:
            model.restore(self.mean)

    def state(self) -> dict[str, torch.Tensor]:
        return named("mean", self.mean)


def _resume(model: LanguageModel, optimiser: Optimiser, tail: _Tail, hooks: Hooks, run: Run) -> int:
    """Restore the last checkpoint, if there is one, and return the number of steps it stands for.

    Raises:
        TrainingError: it was written by a version that kept something else.
    """
    kept = run.checkpoints.load()
    if kept is None:
        return 0
    step, tensors = kept
    try:
        model.masters.load(tensors)
    except KeyError:
        raise TrainingError(
            "another version of everlearn began this run and keeps its checkpoints in another form",
            "go on with that version, or drop the run: everlearn learn --discard",
        ) from None
    tail.mean = {name: mean.to(model.device) for name, mean in those("mean", tensors).items()}
    optimiser.restore(step, tensors)
    hooks.resume({name: tensor.to(model.device) for name, tensor in those(RUNNING, tensors).items()})
    return step


class _Clock:
    """Turns steps done into speed and time left."""

    def __init__(self, steps: int, done: int) -> None:
        self.steps = steps
        self.done = done
        self.tokens = 0
        self.begin = time.monotonic()

    def tick(self, step: int, loss: float, tokens: int) -> Progress:
        self.tokens += tokens
        seconds = time.monotonic() - self.begin
        left = seconds / (step - self.done) * (self.steps - step)
        return Progress("learning", step, self.steps, loss, self.tokens / seconds, left)
