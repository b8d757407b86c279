"""The KL term: its direction, its tail, its agreement with the full vocabulary."""

from __future__ import annotations

import torch

from everlearn.train.losses import Teacher, beliefs, cross_entropy, top_k_kl


def full_kl(teacher_NV: torch.Tensor, student_NV: torch.Tensor) -> torch.Tensor:
    """KL(teacher ‖ student) written out."""
    teacher, student = torch.log_softmax(teacher_NV, -1), torch.log_softmax(student_NV, -1)
    return (teacher.exp() * (teacher - student)).sum(-1).mean()


def logits(seed: int) -> torch.Tensor:
    return torch.randn(6, 40, generator=torch.Generator().manual_seed(seed)) * 3


def test_with_all_tokens_kept_it_is_the_full_kl():
    value = top_k_kl(beliefs(logits(0), 40), logits(1))
    assert torch.allclose(value, full_kl(logits(0), logits(1)), atol=1e-3)


def test_the_direction_is_teacher_to_student():
    forward = top_k_kl(beliefs(logits(0), 40), logits(1))
    backward = full_kl(logits(1), logits(0))
    assert abs(forward - backward) > 0.1


def test_few_tokens_give_a_lower_bound_that_is_close():
    exact = full_kl(logits(0), logits(1))
    bound = top_k_kl(beliefs(logits(0), 20), logits(1))
    assert 0.8 * exact < bound <= exact + 1e-5


def test_it_is_zero_only_for_the_teacher_itself():
    teacher = beliefs(logits(2), 5)
    assert abs(top_k_kl(teacher, logits(2))) < 1e-5
    assert top_k_kl(teacher, logits(3)) > 0.1


def test_its_gradient_pulls_the_student_to_the_teacher():
    student = logits(1).requires_grad_()
    teacher = beliefs(logits(0), 8)
    before = top_k_kl(teacher, student)
    before.backward()
    assert top_k_kl(Teacher(*teacher), student.detach() - 0.5 * student.grad) < before


def test_a_weighty_target_counts_as_often_as_its_weight_says():
    logits, targets = torch.randn(3, 7, generator=torch.Generator().manual_seed(1)), torch.tensor([1, 2, 3])
    twice = torch.cat([logits[:1], logits]), torch.cat([targets[:1], targets])
    weighted = cross_entropy(logits, targets, torch.tensor([2.0, 1.0, 1.0]))
    assert torch.allclose(weighted, torch.nn.functional.cross_entropy(*twice))


def test_the_other_direction_is_student_to_teacher():
    student = logits(1)
    ids = student.topk(40).indices
    teacher = Teacher(ids, torch.log_softmax(logits(0), -1).gather(1, ids))
    assert torch.allclose(top_k_kl(teacher, student, alpha=1.0), full_kl(student, logits(0)), atol=1e-3)


def test_between_the_two_lies_the_divergence_of_jensen_and_shannon():
    one, other = (torch.log_softmax(logits(seed), -1) for seed in (0, 1))
    middle = (one.exp() / 2 + other.exp() / 2).log()
    exact = (full_kl(one, middle) + full_kl(other, middle)) / 2
    assert torch.allclose(top_k_kl(beliefs(logits(0), 40), logits(1), alpha=0.5), exact, atol=1e-3)


def test_what_a_target_is_multiplied_by_does_not_change_what_is_divided_by():
    logits, targets = torch.randn(2, 7, generator=torch.Generator().manual_seed(1)), torch.tensor([1, 2])
    weights = torch.tensor([1.0, 3.0])
    nll = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    scaled = cross_entropy(logits, targets, weights, lambda nll_N: torch.tensor([-2.0, 0.5]) * (nll_N > 0))
    assert torch.allclose(scaled, (-2 * nll[0] + 1.5 * nll[1]) / 4)
