"""Strings in, steps of mammoth's experience replay (`er`) out, some of them in each turn."""

from __future__ import annotations

import sys
from argparse import Namespace
from types import ModuleType, SimpleNamespace

import torch
from contestants.peers_small import Classifier, tensors
from contestants.turns import JOB, Turns

sys.path.insert(0, JOB["mammoth"])
sys.argv = sys.argv[:1]

# mammoth's list of datasets, read by that import, downloads CLIP for one of them; nothing here looks at pictures
clip = ModuleType("open_clip")
clip.create_model_and_transforms = lambda *_, **__: (None, None, None)  # type: ignore[attr-defined]
sys.modules["open_clip"] = clip

from models.er import Er  # noqa: E402  the sources of mammoth are no package


def main() -> None:
    """Train until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    ids, labels = tensors()
    half = len(ids) // 2
    arguments = Namespace(
        buffer_size=half,
        minibatch_size=JOB["rows"],
        optimizer="adamw",
        lr=1e-4,
        optim_wd=0.01,
        optim_mom=0.0,
        optim_nesterov=False,
        label_perc=1,
        device="cpu",
        nowand=1,
        debug_mode=0,
    )
    dataset = SimpleNamespace(
        N_CLASSES=26,
        N_TASKS=2,
        SETTING="class-il",
        N_CLASSES_PER_TASK=13,
        TEST_TRANSFORM=None,
        get_normalization_transform=lambda: None,
        args=arguments,
    )
    model = Er(Classifier(), torch.nn.CrossEntropyLoss(), arguments, None, dataset=dataset)
    model.buffer.add_data(examples=ids[half:], labels=labels[half:])
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(ids[:half], labels[:half]), batch_size=JOB["rows"], shuffle=True, drop_last=True
    )
    steps = 0
    turns.wait()
    while True:
        for batch, classes in loader:
            model.observe(batch, classes, batch)
            steps += 1
            if steps % JOB["steps"] == 0:
                turns.done(JOB["rows"] * JOB["steps"])
                turns.wait()


main()
