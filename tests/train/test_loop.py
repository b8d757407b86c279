"""The loop learns, stops at a loss that is no number, and goes on from a checkpoint as if nothing had happened."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import TrainingError
from everlearn.model.adaptation import Adaptation
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.train.anchors import believe, kl_to
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import Held, Hooks, Step, fit
from everlearn.train.meter import Meter
from everlearn.train.optimiser import Optimisation
from everlearn.train.run import Run

ROWS = tuple(Row((0, 9, 8, 7 + number, 60 + number), (False,) * 4 + (True,)) for number in range(4))


class Broken(Hooks):
    """A crash after some steps."""

    def after_step(self, model, step):
        if step == 5:
            raise KeyboardInterrupt


def new_run(folder, every=0.0) -> Run:
    meter = Meter(1000)
    return Run(0, meter, Checkpoints(folder, meter, every))


def steps(count: int) -> list[Step]:
    return [Step(ROWS) for _ in range(count)]


def test_it_learns_its_rows(tiny, tmp_path):
    tiny.adapt(Adaptation("full"))
    fit(tiny, steps(30), Hooks(), Optimisation(1e-2), new_run(tmp_path, 99))
    assert all(outcome.right for outcome in tiny.force(ROWS))


def test_a_run_that_begins_anew_after_a_crash_writes_nothing(tiny, tmp_path):
    tiny.adapt(Adaptation("full"))
    fit(tiny, steps(2), Hooks(), Optimisation(1e-2), new_run(tmp_path / "kept", None))
    assert not (tmp_path / "kept").exists()


def test_small_steps_move_the_masters_although_bf16_would_not(tiny, tmp_path):
    tiny.adapt(Adaptation("full"))
    before = tiny.snapshot()
    fit(tiny, steps(3), Hooks(), Optimisation(1e-6), new_run(tmp_path, 99))
    moved = [(tiny.masters[name] - before[name]).abs().max() for name in before]
    assert 0 < max(moved) < 1e-5


def test_a_lora_adapter_alone_changes(tiny, tmp_path):
    base = {name: weight.clone() for name, weight in tiny.network.named_parameters()}
    tiny.adapt(Adaptation("lora", 4))
    fit(tiny, steps(60), Hooks(), Optimisation(1e-2), new_run(tmp_path, 99))
    assert all(outcome.right for outcome in tiny.force(ROWS))
    for name, weight in tiny.network.get_base_model().named_parameters():
        if "lora_" not in name:
            assert torch.equal(weight, base[name.replace(".base_layer", "")])


@pytest.mark.parametrize("kind", ["full", "neurons", "lora"])
def test_resuming_gives_bit_identical_masters(tiny_folder, tmp_path, kind):
    from everlearn.model.language_model import LanguageModel

    whole, broken, resumed = (LanguageModel.load(str(tiny_folder)) for _ in range(3))
    for model in (whole, broken, resumed):
        model.adapt(Adaptation(kind, 4))
    fit(whole, steps(12), Hooks(), Optimisation(1e-2, tail=0.8), new_run(tmp_path / "a"))
    with pytest.raises(KeyboardInterrupt):
        fit(broken, steps(12), Broken(), Optimisation(1e-2, tail=0.8), new_run(tmp_path / "b"))
    fit(resumed, steps(12), Hooks(), Optimisation(1e-2, tail=0.8), new_run(tmp_path / "b"))
    assert all(torch.equal(whole.masters[name], resumed.masters[name]) for name in whole.masters)


def test_a_loss_that_is_no_number_stops_the_run(tiny, tmp_path):
    tiny.adapt(Adaptation("full"))
    name, master = next(iter(tiny.masters.items()))
    tiny.masters[name] = master * float("nan")
    with pytest.raises(TrainingError, match=r"the loss is nan at step 1$"):
        fit(tiny, steps(3), Hooks(), Optimisation(1e-2), new_run(tmp_path))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_gradient_that_is_no_number_stops_the_last_step(number, tiny, tmp_path):
    class Breaking(Hooks):
        def project(self, model, gradients, step):
            next(iter(gradients.values())).view(-1)[0] = number

    tiny.adapt(Adaptation("full"))
    before = tiny.snapshot()
    with pytest.raises(TrainingError, match=f"the gradient is {number} at step 1$"):
        fit(tiny, steps(1), Breaking(), Optimisation(1e-2), new_run(tmp_path))
    assert all(torch.equal(master, before[name]) for name, master in tiny.masters.items())


def test_the_tail_is_the_mean_of_the_last_steps(tiny, tmp_path):
    seen = []

    class Watching(Hooks):
        def after_step(self, model, step):
            seen.append(model.snapshot())

    tiny.adapt(Adaptation("full"))
    fit(tiny, steps(5), Watching(), Optimisation(1e-2, tail=0.4), new_run(tmp_path, 99))
    for name, master in tiny.masters.items():
        assert torch.allclose(master, (seen[3][name] + seen[4][name]) / 2, atol=1e-6)


def test_a_crash_between_the_last_step_and_its_mean_loses_nothing(tiny_folder, tmp_path, monkeypatch):
    from everlearn.model.language_model import LanguageModel

    whole, broken, resumed = (LanguageModel.load(str(tiny_folder)) for _ in range(3))
    for model in (whole, broken, resumed):
        model.adapt(Adaptation("full"))
    how = Optimisation(1e-2, tail=0.5)
    fit(whole, steps(6), Hooks(), how, new_run(tmp_path / "a"))
    run = new_run(tmp_path / "b")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("everlearn.train.loop._Tail.settle", _interrupted)
        fit(broken, steps(6), Hooks(), how, run)
    fit(resumed, steps(6), Hooks(), how, new_run(tmp_path / "b"))
    assert all(torch.equal(whole.masters[name], resumed.masters[name]) for name in whole.masters)


def _interrupted(*_):
    raise KeyboardInterrupt


def test_a_checkpoint_of_another_version_is_refused(tiny, tmp_path):
    tiny.adapt(Adaptation("full"))
    run = new_run(tmp_path)
    run.checkpoints.save(1, {f"master:{name}": master for name, master in tiny.masters.items()})
    with pytest.raises(TrainingError, match="another version") as refused:
        fit(tiny, steps(2), Hooks(), Optimisation(1e-2), run)
    assert "--discard" in refused.value.hint


def test_a_table_that_is_not_the_head_learns_too(tiny_folder, tmp_path):
    """Its gradient comes as the few rows that were looked up."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from everlearn.model.language_model import LanguageModel

    network = AutoModelForCausalLM.from_pretrained(tiny_folder, dtype=torch.bfloat16, tie_word_embeddings=False)
    network.lm_head.weight = torch.nn.Parameter(network.lm_head.weight.detach().clone())
    model = LanguageModel(network, AutoTokenizer.from_pretrained(tiny_folder), str(tiny_folder), "")
    model.adapt(Adaptation("full"))
    before = model.snapshot()
    assert {"model.embed_tokens.weight", "lm_head.weight"} <= before.keys()
    fit(model, steps(2), Hooks(), Optimisation(1e-2), new_run(tmp_path))
    table = model.masters["model.embed_tokens.weight"] - before["model.embed_tokens.weight"]
    read = {token for step in steps(2) for row in step.rows for token in row.read}
    assert {int(token) for token in table.any(1).nonzero()} == read


def test_without_kernels_training_comes_to_the_same(tiny_folder, tmp_path, monkeypatch):
    """What a GPU computes with, from the loss to the optimiser."""
    from everlearn.model.kernels import library
    from everlearn.model.language_model import LanguageModel

    moved = []
    for compiled in (library.library(), None):
        monkeypatch.setattr(library, "library", lambda compiled=compiled: compiled)
        model = LanguageModel.load(str(tiny_folder))
        model.adapt(Adaptation("full"))
        before = model.snapshot()
        fit(model, steps(3), Hooks(), Optimisation(1e-3), new_run(tmp_path / str(compiled is None)))
        moved.append(torch.cat([(model.masters[name] - before[name]).flatten() for name in before]))
    assert torch.cosine_similarity(*moved, 0) > 0.99


# --- what a step may be made from ---------------------------------------------------------------------------


def nats(model, row):
    return model.force([row])[0].nll


def test_rows_are_learnt_by_their_weight_and_unlearnt_below_zero(tiny, tmp_path):
    tiny.adapt(Adaptation("full"))
    before = [nats(tiny, row) for row in ROWS[:3]]
    fit(tiny, [Step(ROWS[:3], weights=(1.0, 0.0, -1.0))] * 4, Hooks(), Optimisation(1e-3), new_run(tmp_path, None))
    learnt, ignored, unlearnt = [nats(tiny, row) - was for row, was in zip(ROWS[:3], before, strict=True)]
    assert learnt < ignored < unlearnt
    assert learnt < -0.05 < 0.05 < unlearnt


def test_a_hook_weighs_targets_by_their_nats(tiny, tmp_path):
    class Deaf(Hooks):
        def weigh(self, nll_N, step):
            assert not nll_N.requires_grad
            heard.append(nll_N)
            return torch.zeros_like(nll_N)

    heard = []
    tiny.adapt(Adaptation("full"))
    before = tiny.snapshot()
    fit(tiny, steps(2), Deaf(), Optimisation(1e-2), new_run(tmp_path, None))
    assert heard[0].tolist() == pytest.approx([nats(tiny, row) for row in ROWS], abs=0.05)
    assert all(torch.equal(before[name], master) for name, master in tiny.masters.items())


def test_a_step_of_held_texts_alone_pulls_to_the_teachers(tiny_folder, tmp_path):
    student, teacher = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    for model in (student, teacher):
        model.adapt(Adaptation("full"))
    fit(teacher, steps(12), Hooks(), Optimisation(1e-2), new_run(tmp_path, None))
    halves = [believe(teacher, ROWS[:2]), believe(teacher, ROWS[2:])]
    held = tuple(Held(half.rows, half.teacher(range(2)), 1.0) for half in halves)

    def distances():
        with torch.no_grad():
            return [float(kl_to(student, half, range(2))) for half in halves]

    before = distances()
    run = new_run(tmp_path, None)
    fit(student, [Step((), held=held)] * 12, Hooks(), Optimisation(1e-2), run)
    assert all(now < 0.3 * was for now, was in zip(distances(), before, strict=True))
    assert run.meter.tokens["new"] == 0 < run.meter.tokens["synthetic"]


def test_live_steps_are_made_once_each_when_their_turn_has_come(tiny, tmp_path):
    class Looking:
        def __len__(self):
            return 3

        def __getitem__(self, number):
            seen.append((number, nats(tiny, ROWS[0])))
            return Step(ROWS)

    seen = []
    tiny.adapt(Adaptation("full"))
    fit(tiny, Looking(), Hooks(), Optimisation(1e-2), new_run(tmp_path, None), live=True)
    assert [number for number, _ in seen] == [0, 1, 2]
    assert len({round(found, 6) for _, found in seen}) == 3, "each by the model after the step before"


def test_what_hooks_carry_comes_back_after_a_crash(tiny_folder, tmp_path):
    class Counting(Hooks):
        def __init__(self, stop):
            self.count, self.stop = torch.zeros(1), stop

        def after_step(self, model, step):
            if step == self.stop:
                raise KeyboardInterrupt
            self.count += 1

        def running(self):
            return {"count": self.count}

        def resume(self, kept):
            self.count = kept["count"]

    broken, resumed = (LanguageModel.load(str(tiny_folder)) for _ in range(2))
    for model in (broken, resumed):
        model.adapt(Adaptation("full"))
    with pytest.raises(KeyboardInterrupt):
        fit(broken, steps(6), Counting(4), Optimisation(1e-3), new_run(tmp_path))
    hooks = Counting(-1)
    fit(resumed, steps(6), hooks, Optimisation(1e-3), new_run(tmp_path))
    assert hooks.count == 6
