"""A model and rows in, how much each of its weights matters for what it says on them, out: by name, in fp32.

What regularisation multiplies the distance from earlier weights by. Each row is looked at alone: the square of a sum of
gradients is not the sum of their squares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import Packed, pack
from everlearn.train.loop import collect_gradients
from everlearn.train.meter import Meter

Weights = dict[str, torch.Tensor]


def fisher(model: LanguageModel, rows: Sequence[Row], seed: int, meter: Meter) -> Weights:
    """The diagonal of the Fisher information, per row: E[(∂ Σ_t log p(y_t) / ∂θ)²], y_t drawn from the model itself.

    With the rows' own targets instead it would be the empirical Fisher, which is another thing (Kunstner et al.
    1905.12558).
    """
    draw = torch.Generator(model.device).manual_seed(seed)

    def surprise(logits_NV: torch.Tensor) -> torch.Tensor:
        said_N = torch.multinomial(logits_NV.detach().float().softmax(-1), 1, generator=draw)[:, 0]
        return torch.nn.functional.cross_entropy(logits_NV.float(), said_N, reduction="sum")

    return _mean(model, rows, surprise, torch.square, meter)


def sensitivity(model: LanguageModel, rows: Sequence[Row], meter: Meter) -> Weights:
    """How far each weight moves what the model says, right or wrong: E |∂ ‖logits‖² / ∂θ|, the norm's mean over targets
    (Memory Aware Synapses, Aljundi et al. 1711.09601)."""
    return _mean(model, rows, lambda logits_NV: logits_NV.float().square().sum(-1).mean(), torch.abs, meter)


def pull(
    gradients: Weights, masters: Mapping[str, torch.Tensor], towards: Weights, strength: float, importance: Weights
) -> None:
    """Add the gradient of strength / 2 · Σ importance · (θ − towards)² to gradients that are there.

    The distance is that of the fp32 masters: bf16 weights would round it away.
    """
    for name, gradient in gradients.items():
        distance = masters[name] - towards[name]
        weight = importance[name].to(distance.device, torch.float32) if name in importance else 1.0
        gradients[name] = (gradient.float() + strength * weight * distance).to(gradient.dtype)


def scaled_to_mean_1(importance: Weights) -> Weights:
    """The same divided by the mean over all weights, so that a strength means the same on every model; all zero stay
    so."""
    total = sum(float(each.sum(dtype=torch.float64)) for each in importance.values())
    count = sum(each.numel() for each in importance.values())
    return {name: each * (count / total) for name, each in importance.items()} if total > 0 else dict(importance)


def gradients_of_rows(
    model: LanguageModel, rows: Sequence[Row], value: Callable[[torch.Tensor, Packed], torch.Tensor], meter: Meter
) -> Iterator[Weights]:
    """For each row the gradient, in the weights' own type, of what `value` makes of its logits_NV and of its batch."""
    for row in rows:
        batch = pack([row])
        value(model.logits(batch), batch).backward()
        meter.learnt("synthetic", batch.tokens)
        yield collect_gradients(model)


def _mean(
    model: LanguageModel,
    rows: Sequence[Row],
    value: Callable[[torch.Tensor], torch.Tensor],
    size: Callable[[torch.Tensor], torch.Tensor],
    meter: Meter,
) -> Weights:
    """Mean over rows of the size of the gradient of what `value` makes of a row's logits."""
    found: Weights = {}
    for gradients in gradients_of_rows(model, rows, lambda logits_NV, _: value(logits_NV), meter):
        for name, gradient in gradients.items():
            sized = size(gradient.float()) / len(rows)
            found[name] = found[name] + sized if name in found else sized
    return found
