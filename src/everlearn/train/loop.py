"""Steps (rows to learn from) and a method's hooks in, changed weights out: the one training loop.

The loop resumes from the last checkpoint to bit-identical weights, because everything that happens in a
step depends on the step's number, the masters and the optimiser's state alone (on a CPU: a GPU may add in any order).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch

from everlearn.errors import TrainingError
from everlearn.model.chat import Row
from everlearn.model.kernels.adamw import Step as AdamStep
from everlearn.model.kernels.adamw import adamw, sum_of_squares
from everlearn.model.language_model import LanguageModel
from everlearn.model.masters import Masters
from everlearn.model.packing import Packed, pack
from everlearn.train.losses import Teacher, cross_entropy, top_k_kl
from everlearn.train.run import Progress, Run

WARMUP = 0.1
"""Share of the steps over which the learning rate rises."""


class Held(NamedTuple):
    """Texts on which the model is held to a teacher's beliefs, by `strength` times the KL divergence from them."""

    rows: tuple[Row, ...]
    teacher: Teacher
    """Its beliefs at the targets of all rows, in order."""
    strength: float


class Step(NamedTuple):
    """The rows of one optimiser step; the last `replayed` of them come from memory."""

    rows: tuple[Row, ...]
    replayed: int = 0
    held: Held | None = None


class Hooks(Protocol):
    """What a method may add to each step."""

    def penalty(self, model: LanguageModel, step: int) -> torch.Tensor | None:
        """A further loss of the weights, on top of the step's own."""

    def project(self, gradients: dict[str, torch.Tensor]) -> None:
        """Change the gradients (bf16, by name) before the optimiser sees them, in place or by others."""

    def after_step(self, model: LanguageModel, step: int) -> None:
        """Change the masters after the optimiser has moved them: `model.masters[name] = tensor`."""


@dataclass(frozen=True)
class Optimisation:
    """How the masters are moved."""

    learning_rate: float
    weight_decay: float = 0.0
    clip: float = 1.0
    """Largest gradient norm."""
    tail: float = 0.0
    """Share of the steps, counted from the end, whose masters are averaged to the result; 0: the last ones are it."""
    opening: float = 1.0
    """Weight of an answer's first token in the loss, relative to each other one."""


def fit(model: LanguageModel, steps: Sequence[Step], hooks: Hooks, how: Optimisation, run: Run) -> None:
    """Change the model's masters by one optimiser step for each of `steps`.

    Raises:
        TrainingError: the loss or a gradient is not a number.
    """
    masters = model.masters
    optimiser = _Adam(model, how)
    tail = _Tail(masters, len(steps) - round(how.tail * len(steps)))
    begin = _resume(model, optimiser, tail, run)
    clock = _Clock(len(steps), begin)
    run.tell(Progress("reading the lesson", 0, len(steps)))
    model.remember(row for step in steps for row in _rows(step))  # looked at only where something can be remembered
    batch = _pack(steps, begin)
    for number in range(begin, len(steps)):
        computed = _backward(model, steps[number], batch, hooks, number, how.opening)
        _count(steps[number], batch.tokens, run)
        batch = _pack(steps, number + 1)  # a GPU is still at work
        loss = _move(model, hooks, optimiser, _rate(number, len(steps)), computed)
        hooks.after_step(model, number)
        tail.add(number)
        tokens = sum(len(row.ids) for row in steps[number].rows)
        run.tell(clock.tick(number + 1, loss, tokens))
        if run.checkpoints.due():
            run.checkpoints.save(number + 1, {**masters.state(), **tail.state(), **optimiser.state()})
    if begin < len(steps) or tail.mean:  # what follows (the exam) may crash too; no more moments are needed
        tail.settle(model)
        run.checkpoints.save(len(steps), masters.state())


def _move(model: LanguageModel, hooks: Hooks, optimiser: _Adam, rate: float, loss: torch.Tensor) -> float:
    """Use up the gradients: none must be left when the next step makes its own, or there is room for both."""
    gradients = _collect_gradients(model)
    hooks.project(gradients)
    return optimiser.step(gradients, rate, loss)


def _diverged(what: str, value: float, step: int) -> TrainingError:
    return TrainingError(f"the {what} is {value} at step {step}", "nothing was committed; try a smaller learning_rate")


def _pack(steps: Sequence[Step], number: int) -> Packed:
    """The line of a step; an empty one behind the last."""
    return pack([row for step in steps[number : number + 1] for row in _rows(step)])


def _rows(step: Step) -> tuple[Row, ...]:
    return (*step.rows, *(step.held.rows if step.held else ()))


def _backward(
    model: LanguageModel, step: Step, batch: Packed, hooks: Hooks, number: int, opening: float
) -> torch.Tensor:
    """Gradients of all losses onto the network; returns the weighted cross-entropy of the step's rows."""
    logits_NV = model.logits(batch)
    learnt = int((batch.row_N < len(step.rows)).sum())
    weights_N = torch.where(batch.opening_N[:learnt], opening, 1.0).to(model.device)
    loss = cross_entropy(logits_NV[:learnt], batch.targets_N[:learnt].to(model.device), weights_N)
    total = loss
    if step.held:
        total = total + step.held.strength * top_k_kl(step.held.teacher.to(model.device), logits_NV[learnt:])
    further = hooks.penalty(model, number)
    if further is not None:
        total = total + further
    torch.autograd.backward(total)
    return loss.detach()


def _count(step: Step, tokens: int, run: Run) -> None:
    """Meter the tokens of a batch by what they were for."""
    held = sum(len(row.ids) for row in step.held.rows) if step.held else 0
    replayed = sum(len(row.ids) for row in step.rows[len(step.rows) - step.replayed :])
    whole = held + sum(len(row.ids) for row in step.rows)
    synthetic, again = round(tokens * held / whole), round(tokens * replayed / whole)
    run.meter.learnt("synthetic", synthetic)
    run.meter.learnt("replayed", again)
    run.meter.learnt("new", tokens - synthetic - again)


def _collect_gradients(model: LanguageModel) -> dict[str, torch.Tensor]:
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


class _Adam:
    """AdamW over the masters; its state can be kept and restored by name."""

    def __init__(self, model: LanguageModel, how: Optimisation) -> None:
        self.masters = model.masters
        self.how = how
        self.steps = 0
        self.moments: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        """Running means of each gradient and of its square, in the weights' type."""

    def step(self, gradients: dict[str, torch.Tensor], rate: float, computed: torch.Tensor) -> float:
        """Move the masters that have a gradient; `rate` is a share of the highest learning rate.

        Returns the computed loss, for which a device is waited for here alone, once it has all gradients.
        """
        self.steps += 1
        squares = sum_of_squares(list(gradients.values()), computed.device)
        loss, square = torch.stack([computed.double(), squares]).tolist()
        if not math.isfinite(loss):
            raise _diverged("loss", loss, self.steps)
        length = math.sqrt(square)
        if not math.isfinite(length):
            raise _diverged("gradient", length, self.steps)
        scale = min(1.0, self.how.clip / (length + 1e-6))
        for name in gradients.keys() - self.moments.keys():
            like = self.masters.weight(name)
            self.moments[name] = torch.zeros_like(like), torch.zeros_like(like)
        adamw(
            [self.masters.weight(name) for name in gradients],
            [self.masters.rests[name] for name in gradients],
            list(gradients.values()),
            [self.moments[name][0] for name in gradients],
            [self.moments[name][1] for name in gradients],
            AdamStep(self.how.learning_rate * rate, self.how.weight_decay, self.steps, scale),
        )
        return float(loss)

    def state(self) -> dict[str, torch.Tensor]:
        """First and second moments by name."""
        kept: dict[str, torch.Tensor] = {}
        for name, (mean, square) in self.moments.items():
            kept |= {f"exp_avg:{name}": mean, f"exp_avg_sq:{name}": square}
        return kept

    def restore(self, steps: int, kept: dict[str, torch.Tensor]) -> None:
        """Go on from the state kept after so many steps; there is none where training was over."""
        self.steps = steps
        squares = _those("exp_avg_sq", kept)
        for name, mean in _those("exp_avg", kept).items():
            device = self.masters.weight(name).device
            self.moments[name] = mean.to(device), squares[name].to(device)


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
        return _named("mean", self.mean)


def _resume(model: LanguageModel, optimiser: _Adam, tail: _Tail, run: Run) -> int:
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
    tail.mean = {name: mean.to(model.device) for name, mean in _those("mean", tensors).items()}
    optimiser.restore(step, tensors)
    return step


def _named(kind: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{kind}:{name}": tensor for name, tensor in tensors.items()}


def _those(kind: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    prefix = f"{kind}:"
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


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
