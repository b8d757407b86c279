"""Compiled kernels must agree with plain torch: values and gradients, NaN included."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.kernels import adamw as adamw_module
from everlearn.model.kernels import library
from everlearn.model.kernels import linear as linear_module
from everlearn.model.kernels import product as product_module
from everlearn.model.kernels.adamw import Step, adamw, sum_of_squares
from everlearn.model.kernels.gated import gated, gated_linear
from everlearn.model.kernels.linear import linear, transposed
from everlearn.model.kernels.logits import chosen_logprobs, most_likely, normaliser, survey
from everlearn.model.kernels.norm import rms_norm
from everlearn.model.kernels.product import product
from everlearn.model.kernels.rotary import rotate
from everlearn.model.masters import joined, split

pytestmark = pytest.mark.skipif(library.library() is None, reason="no C compiler: plain torch is used")


def test_what_a_kernel_does_not_take_is_refused():
    weight, rest, moments = torch.zeros(4).bfloat16(), torch.zeros(4, dtype=torch.int16), torch.zeros(2, 4).bfloat16()
    gradient = torch.ones(4).bfloat16()
    adamw([weight], [rest], [gradient], *([moment] for moment in moments), Step(0.01, 0, 1, 1))
    assert joined(weight, rest).tolist() == pytest.approx([-0.01] * 4), "whole numbers are numbers too"
    with pytest.raises(TypeError, match="takes contiguous"):
        adamw([weight], [rest.long()], [gradient], *([moment] for moment in moments), Step(0.01, 0, 1, 1))
    with pytest.raises(TypeError):
        library.call("gated", weight[::2], weight[::2], weight[::2], 2)


def test_a_second_derivative_is_refused():
    gate = numbers(4)
    (first,) = torch.autograd.grad(gated(gate, gate).sum(), gate, create_graph=True)
    with pytest.raises(RuntimeError):
        first.sum().backward()


def numbers(*shape: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    """bf16 numbers that want a gradient."""
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale
    return drawn.bfloat16().requires_grad_()


def both_ways(function, *given: torch.Tensor):
    """Values and gradients by kernels in bf16, and by plain torch in fp32 on the same numbers."""
    outcomes = []
    for inputs in (given, [tensor.detach().float().requires_grad_(tensor.requires_grad) for tensor in given]):
        made = function(*inputs)
        weights = torch.randn(made.shape, generator=torch.Generator().manual_seed(9)).to(made.dtype)
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        outcomes.append([made, *torch.autograd.grad(made, wanted, weights)])
    return zip(*outcomes, strict=True)


def close(one: torch.Tensor, other: torch.Tensor, share: float = 0.01) -> bool:
    """Equal but for rounding to bf16, of the largest number."""
    return bool((one.float() - other.float()).abs().max() <= share * other.float().abs().max())


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_norm(rows):
    for one, other in both_ways(lambda x, w: rms_norm(x, w, 1e-5), numbers(rows, 96), numbers(96, seed=1)):
        assert close(one, other)


def test_the_norm_of_a_frozen_weight_has_a_gradient_of_its_input_alone():
    hidden, weight = numbers(5, 32), numbers(32, seed=1).detach()
    rms_norm(hidden, weight, 1e-5).sum().backward()
    assert hidden.grad is not None and weight.grad is None


@pytest.mark.parametrize("shape", [(3, 5), (2, 300, 96)])
def test_a_linear_layer_of_gated_values(shape):
    given = numbers(*shape, scale=4), numbers(*shape, seed=1), numbers(24, shape[-1], seed=2)
    for one, other in both_ways(gated_linear, *given):
        assert close(one, other)
    frozen = *given[:2], given[2].detach()
    for one, other in zip(both_ways(gated_linear, *given), both_ways(gated_linear, *frozen), strict=False):
        assert torch.equal(one[0], other[0]), "whether the layer learns changes nothing else"


@pytest.mark.parametrize("count", [3, 50_001])
def test_gated(count):
    for one, other in both_ways(gated, numbers(count, scale=4), numbers(count, seed=1)):
        assert close(one, other)


def test_gates_may_be_huge():
    gate = torch.tensor([-3e38, -200.0, 200.0, 3e38]).bfloat16().requires_grad_()
    said = gated(gate, torch.ones(4).bfloat16())
    assert said.tolist() == [0.0, 0.0, 200.0, gate[3].item()]
    said[:3].sum().backward()
    assert gate.grad is not None and gate.grad.tolist()[:3] == [0.0, 0.0, 1.0]


def test_rotation():
    angles = torch.randn(1, 30, 8, generator=torch.Generator().manual_seed(2)).repeat(1, 1, 2)
    cosines, sines = angles.cos().bfloat16(), angles.sin().bfloat16()
    heads = numbers(2, 30, 3, 16)
    for one, other in both_ways(lambda x: rotate(x, cosines.to(x.dtype), sines.to(x.dtype)), heads):
        assert close(one, other)


def test_rotation_turns_as_transformers_does():
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    angles = torch.arange(12.0)[None, :, None] * torch.tensor([1.0, 0.3, 0.1, 0.01]).repeat(2)
    heads = numbers(1, 12, 2, 8).detach()
    wanted, _ = apply_rotary_pos_emb(
        heads.float().transpose(1, 2), heads.float().transpose(1, 2), angles.cos(), angles.sin()
    )
    assert close(rotate(heads, angles.cos().bfloat16(), angles.sin().bfloat16()), wanted.transpose(1, 2))


def test_chosen_logprobs():
    ids = torch.stack([torch.randperm(500, generator=torch.Generator().manual_seed(n))[:4] for n in range(20)])
    for one, other in both_ways(lambda logits: chosen_logprobs(logits, ids), numbers(20, 500, scale=5)):
        assert close(one, other)


def test_survey():
    logits = numbers(40, 333, scale=3)
    targets = torch.arange(40)
    seen = survey(logits, targets)
    assert torch.equal(seen.chosen_N, logits.detach().float()[range(40), targets])
    wide = logits.detach().float()
    values = wide.topk(2, dim=-1).values
    assert torch.equal(seen.first_N, values[:, 0]) and torch.equal(seen.second_N, values[:, 1])
    assert torch.equal(wide.gather(1, seen.likely_N[:, None])[:, 0], values[:, 0])
    assert torch.allclose(seen.normaliser_N, wide.logsumexp(-1), atol=1e-5)


@pytest.mark.parametrize("at", [0, 5, 9])
def test_the_largest_logit_may_stand_anywhere(at):
    logits = torch.full((1, 10), -2.0).bfloat16()
    logits[0, at] = -1.0
    seen = survey(logits, torch.zeros(1, dtype=torch.long))
    assert most_likely(logits).item() == at
    assert (seen.likely_N.item(), seen.first_N.item(), seen.second_N.item()) == (at, -1.0, -2.0)


def test_what_is_no_number_stays_none():
    broken = numbers(4, 64).detach()
    broken[1, 3] = torch.tensor([-1], dtype=torch.int16).view(torch.bfloat16)[
        0
    ]  # with its sign set, as inf - inf has it
    assert normaliser(broken).isnan().tolist() == [False, True, False, False]
    assert rms_norm(broken, torch.ones(64).bfloat16(), 1e-5).isnan().any(-1).tolist() == [False, True, False, False]
    assert gated(broken, broken).isnan().sum() == 1


@pytest.mark.parametrize("count", [5, 40_000])
def test_adamw(count):
    source = torch.Generator().manual_seed(4)
    master = torch.randn(count, generator=source)
    reference = master.clone().requires_grad_()
    adam = torch.optim.AdamW([reference], lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    (weight, rest), (mean, square) = split(master), torch.zeros(2, count).bfloat16()
    for number in range(1, 6):
        gradient = torch.randn(count, generator=source).bfloat16()
        reference.grad = gradient.float() * 0.5
        adam.step()
        adamw([weight], [rest], [gradient], [mean], [square], Step(0.01, 0.1, number, 0.5))
    # a step is at most about 0.01 long, and moments of 8 bits change it by a few thousandths
    master = joined(weight, rest)
    assert torch.allclose(master, reference.detach(), atol=5 * 0.01 * 0.01, rtol=1e-5)
    assert torch.equal(split(master)[0], weight) and torch.equal(split(master)[1], rest)
    kept = adam.state[reference]
    assert close(mean, kept["exp_avg"]) and close(square, kept["exp_avg_sq"])


def test_adamw_by_torch_moves_large_tensors_alone_and_small_ones_together(monkeypatch):
    sizes = (40, 3, 5, 40, 2, 7)

    def moved() -> list[torch.Tensor]:
        source = torch.Generator().manual_seed(4)
        masters = [split(torch.randn(size, generator=source)) for size in sizes]
        weights, rests = [each[0] for each in masters], [each[1] for each in masters]
        gradients = [torch.randn(size, generator=source).bfloat16() for size in sizes]
        means, squares = ([torch.zeros(size).bfloat16() for size in sizes] for _ in range(2))
        adamw(weights, rests, gradients, means, squares, Step(0.01, 0.1, 1, 0.5))
        return [*map(joined, weights, rests), *means, *squares]

    wanted = moved()
    monkeypatch.setattr(library, "library", lambda: None)
    monkeypatch.setattr(adamw_module, "TOGETHER", 6)
    monkeypatch.setattr(adamw_module, "ALONE", 40)
    like = [torch.zeros(size) for size in sizes]
    assert list(adamw_module._parts(like)) == [[0], [3], [1, 2], [4, 5]]
    for one, other in zip(moved(), wanted, strict=True):
        assert torch.allclose(one.float(), other.float(), rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("mantissa", [1.0, 1.1, 1.25, 1.4, 1.6, 1.9])
def test_moments_of_few_bits_follow_a_gradient_that_stays_and_one_that_fades(mantissa):
    """They stand still once a step would move them by less than half of their last place."""
    (weight, rest), (mean, square) = split(torch.zeros(2)), torch.zeros(2, 2).bfloat16()
    stays = torch.tensor(mantissa * 1e-3).bfloat16().item()
    for number in range(1, 201):
        gradient = torch.tensor([stays, stays * 0.9**number]).bfloat16()
        adamw([weight], [rest], [gradient], [mean], [square], Step(1e-5, 0.0, number, 1.0))
    assert mean[0].item() == pytest.approx(stays, rel=0.04) and square[0].item() == pytest.approx(stays**2, rel=0.08)
    assert joined(weight, rest)[0].item() == pytest.approx(-200 * 1e-5, rel=0.04)
    assert mean[1].abs() < 1e-8 and square[1] < 1e-10


def test_a_linear_layer_of_no_rows():
    weight = numbers(6, 8)
    assert linear(numbers(0, 8), weight, None).shape == (0, 6)
    assert gated_linear(numbers(2, 0, 8), numbers(2, 0, 8), weight).shape == (2, 0, 6)


@pytest.mark.parametrize("count", [3, 100_003])
def test_norm_of_gradients(count, monkeypatch):
    cpu = torch.device("cpu")
    gradients = [numbers(count).detach(), numbers(7, seed=1).detach(), numbers(6, 5, seed=2).detach().T]
    wanted = sum(float(each.double().square().sum()) for each in gradients) ** 0.5
    assert float(sum_of_squares(gradients, cpu)) ** 0.5 == pytest.approx(wanted, rel=1e-4)
    monkeypatch.setattr(library, "library", lambda: None)
    assert float(sum_of_squares(gradients, cpu)) ** 0.5 == pytest.approx(wanted, rel=1e-4)
    assert sum_of_squares([], cpu) == 0


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (7, 13), (40, 33), (19, 64), (301, 575), (1, 40), (40, 1)])
def test_transposed(shape):
    given = numbers(*shape).detach()
    assert torch.equal(transposed(given), given.T)
    assert transposed(given).is_contiguous()


@pytest.mark.parametrize("bias", [False, True])
def test_linear(bias):
    given = numbers(2, 21, 24), numbers(40, 24, seed=1), *([numbers(40, seed=2)] if bias else [])
    for one, other in both_ways(lambda x, w, b=None: linear(x, w, b), *given):
        assert close(one, other)
    assert type(linear(*given, *([] if bias else [None])).grad_fn).__name__ == "ViewBackward0", "ours was taken"


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (33, 24), (576, 1536)])
def test_one_row_is_not_multiplied_by_matrix_units(shape, monkeypatch):
    outputs, inputs = shape
    row, weight = numbers(1, 1, inputs).detach(), numbers(outputs, inputs, seed=1).detach()
    monkeypatch.setattr(linear_module, "product", lambda *given: pytest.fail("not by our kernel"))
    assert close(linear(row, weight, None), row.float() @ weight.float().T)


def test_a_linear_layer_takes_rows_of_its_width_alone():
    for rows in (1, 2):
        with torch.no_grad(), pytest.raises((AssertionError, RuntimeError)):
            linear(numbers(rows, 8), numbers(6, 4096, seed=1), None)


def test_one_row_by_turned_weights_and_with_gradients():
    row, weight = numbers(1, 24), numbers(40, 24, seed=1)
    turned = numbers(24, 40, seed=2).detach()
    assert close(linear(row.detach(), turned.T, None), row.detach().float() @ turned.float())
    for one, other in both_ways(lambda x, w: linear(x, w, None), row, weight):
        assert close(one, other)


def test_a_slice_of_hidden_states_is_made_contiguous_first(monkeypatch):
    """torch multiplies each row of such a slice by a copy of the weights: for 64 rows and the head 7 s, not 10 ms."""
    hidden, weight = numbers(3, 5, 8).detach()[:, -1:], numbers(6, 8, seed=1)
    assert not hidden.is_contiguous()
    given = []
    for module, name in ((torch.nn.functional, "linear"), (linear_module, "product")):
        plain = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda x, *rest, plain=plain: (given.append(x.is_contiguous()), plain(x, *rest))[1]
        )
    with torch.no_grad():
        said = linear(hidden, weight, None)
    assert given == [True] and close(said, hidden.float() @ weight.detach().float().T)


@pytest.mark.parametrize(
    ("rows", "columns", "halved"),
    [
        (575, 576, False),
        (576, 576, True),
        (640, 576, True),
        (1275, 576, True),
        (1296, 576, False),
        (896, 896, True),
        (1600, 896, False),
    ],
)
def test_products_that_would_leave_a_thread_idle_are_halved(rows, columns, halved, monkeypatch):
    monkeypatch.setattr(product_module, "has_two_threads", lambda: True)
    multiplied = []
    whole = torch.mm
    monkeypatch.setattr(torch, "mm", lambda *given, **out: (multiplied.append(given), whole(*given, **out))[1])
    given, weight = numbers(rows, 40).detach(), numbers(columns, 40, seed=1).detach()
    for turned in (weight.T, weight.T.contiguous()):
        multiplied.clear()
        assert close(product(given, turned), given.float() @ turned.float())
        assert len(multiplied) == (2 if halved else 0)


def test_only_two_threads_with_matrix_units_halve_products(monkeypatch):
    monkeypatch.setattr(product_module, "_has_matrix_units", lambda: True)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert not product_module.has_two_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert product_module.has_two_threads()
    monkeypatch.setattr(torch, "mm", None)
    weight = numbers(576, 8).detach()
    assert product(weight.float(), weight.float().T).dtype is torch.float32  # fp32 is multiplied as it was


def halving(monkeypatch):
    """Halve products however many threads there are; the list of those that were halved."""
    monkeypatch.setattr(product_module, "has_two_threads", lambda: True)
    halved = []
    for name in ("by_rows", "by_columns"):
        plain = getattr(product_module, name)
        monkeypatch.setattr(
            product_module, name, lambda x, y, plain=plain, name=name: (halved.append(name), plain(x, y))[1]
        )
    return halved


def test_layers_whose_products_are_halved(monkeypatch):
    halved = halving(monkeypatch)
    given = numbers(640, 576), numbers(576, 576, seed=1, scale=0.1)
    for one, other in both_ways(lambda x, w: linear(x, w, None), *given):
        assert close(one, other)
    assert halved == ["by_columns", "by_columns", "by_rows"], "outputs, gradients of inputs and of weights"
    halved.clear()
    given = numbers(640, 40), numbers(640, 40, seed=1), numbers(576, 40, seed=2, scale=0.1)
    for one, other in both_ways(gated_linear, *given):
        assert close(one, other)
    assert halved == ["by_columns"]


def test_a_frozen_weight_keeps_no_inputs():
    given, weight = numbers(64, 24), numbers(40, 24, seed=1).detach()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda saved: kept.append(saved.shape), lambda saved: saved):
        linear(given, weight, None)
        assert kept == [weight.shape]
        linear(given, weight.clone().requires_grad_(), None)
        assert kept[1:] == [given.shape, weight.shape]


def test_inputs_and_biases_learn_where_weights_are_frozen():
    given, weight, bias = numbers(21, 24), numbers(40, 24, seed=1).detach(), numbers(40, seed=2)
    for one, other in both_ways(lambda x, b: linear(x, weight.to(x.dtype), b), given, bias):
        assert close(one, other)
    (of_bias,) = torch.autograd.grad(linear(given.detach(), weight, bias).float().sum(), bias)
    assert torch.equal(of_bias, torch.full_like(bias, 21))
    assert linear(given[0].detach(), weight, None).shape == (40,)
