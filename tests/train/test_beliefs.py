"""A teacher is asked about the student's own tokens, behind its own prompt, the right way round, without gradient."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.chat import Row
from everlearn.model.packing import pack
from everlearn.train.beliefs import behind, judged
from everlearn.train.losses import Teacher, top_k_kl
from everlearn.train.meter import Meter


@pytest.fixture
def teacher(tiny):
    """Another model of the same shape."""
    other = tiny.twin()
    torch.manual_seed(1)
    other.network.get_input_embeddings().weight.data.normal_(std=0.3)
    return other


@pytest.fixture
def pairs():
    rows = [Row((3, 4, 20, 21, 22), (False, False, True, True, True)), Row((3, 30, 31), (False, True, True))]
    return [behind(row, (9, 8, 7, *row.prompt)) for row in rows]


def logprobs(model, rows) -> torch.Tensor:
    """Log-probabilities of all tokens at each target, row by row and unpacked."""
    with torch.no_grad():
        return torch.cat([model.logits(pack([row])).float().log_softmax(-1) for row in rows])


def test_both_rows_end_in_the_same_tokens_of_which_the_same_are_learnt():
    row = Row((3, 4, 20, 21, 22), (False, False, True, True, True))
    pair = behind(row, (9, 8, 7), skip=2)
    assert pair.student == Row(row.ids, (False,) * 4 + (True,))
    assert pair.teacher == Row((9, 8, 7, 20, 21, 22), (False,) * 5 + (True,))
    assert behind(row, (9,), skip=5).student.learn[-1], "the last token is always learnt"
    assert behind(row, (9,)).student == row


@pytest.mark.parametrize(("alpha", "ours"), [(0.0, "forward"), (1.0, "reverse"), (0.5, "jensen-shannon")])
def test_the_divergence_is_the_one_that_is_asked_for(tiny, teacher, pairs, alpha, ours):
    student_NV = logprobs(tiny, [pair.student for pair in pairs])
    teacher_NV = logprobs(teacher, [pair.teacher for pair in pairs])
    middle_NV = torch.stack([student_NV, teacher_NV]).logsumexp(0) - torch.tensor(2.0).log()

    def kl(from_NV, to_NV):
        return float((from_NV.exp() * (from_NV - to_NV)).sum(-1).mean())

    by_hand = {
        "forward": kl(teacher_NV, student_NV),
        "reverse": kl(student_NV, teacher_NV),
        "jensen-shannon": (kl(teacher_NV, middle_NV) + kl(student_NV, middle_NV)) / 2,
    }
    believed = Teacher.joined(judged(tiny, teacher, pairs, alpha, 10_000, Meter(1)))
    with torch.no_grad():
        found = float(top_k_kl(believed, tiny.logits(pack([pair.student for pair in pairs])).float(), alpha))
    nearest = min(by_hand, key=lambda name: abs(by_hand[name] - found))
    assert nearest == ours
    assert found == pytest.approx(by_hand[ours], rel=0.01)


def test_the_likeliest_tokens_are_the_teachers_forwards_and_the_students_otherwise(tiny, teacher, pairs):
    student_NV = logprobs(tiny, [pair.student for pair in pairs])
    teacher_NV = logprobs(teacher, [pair.teacher for pair in pairs])
    for alpha, likely_NV in ((0.0, teacher_NV), (0.5, student_NV), (1.0, student_NV)):
        meter = Meter(1)
        believed = Teacher.joined(judged(tiny, teacher, pairs, alpha, 4, meter))
        assert not believed.logprobs_NK.requires_grad
        assert believed.ids_NK.sort(-1).values.equal(likely_NV.topk(4).indices.sort(-1).values)
        assert torch.allclose(believed.logprobs_NK, teacher_NV.gather(1, believed.ids_NK), atol=0.05)
        lengths = [len(row.read) for pair in pairs for row in (pair if alpha else pair[1:])]
        assert sum(lengths) <= meter.tokens["teacher"] < sum(lengths) + 64
