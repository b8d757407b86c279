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
