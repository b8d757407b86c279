"""GRPO's advantages and the gradient of its loss, of the lab model in fp32 on given answers and rewards (a group of
equal ones among them), with and without the standard deviation, beside TRL's GRPOTrainer (loss `bnpo`). Not compared:
the values of the losses, as TRL's is a ratio of 1 where ours is a log-likelihood, and KL, which TRL estimates from the
answer's tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

TITLE = "GRPO's advantages and gradient, TRL"
PEER = "peers.txt"
LIMIT = 1e-5

MODEL = Path(__file__).parents[2] / "src" / "everlearn" / "lab" / "weights"
PROMPTS, GROUP = 3, 4

PROMPT_IDS = [[5 + 3 * prompt + at for at in range(4 + prompt)] for prompt in range(PROMPTS)]
ANSWER_IDS = [
    [[40 + 7 * prompt + 11 * answer + at for at in range(2 + answer + prompt)] for answer in range(GROUP)]
    for prompt in range(PROMPTS)
]
REWARDS = [[1.0, 0.0, 0.0, 0.5], [0.3, 0.3, 0.3, 0.3], [0.0, 0.25, 1.0, 1.0]]


def network() -> Any:
    """The lab model in fp32."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)


def ours() -> dict[str, torch.Tensor]:
    """Answers weighed by their advantages, as the loop weighs rows; each is read by itself."""
    from everlearn.methods.grpo import advantages_of
    from everlearn.train.losses import cross_entropy

    found = {}
    for scaled in (True, False):
        made = network()
        advantages = [each for group in REWARDS for each in advantages_of(group, scaled)]
        logits, targets = [], []
        for prompt, group in zip(PROMPT_IDS, ANSWER_IDS, strict=True):
            for answer in group:
                logits_TV = made(torch.tensor([[*prompt, *answer]])).logits[0]
                logits.append(logits_TV[len(prompt) - 1 : -1])
                targets.append(torch.tensor(answer))
        weights_N = torch.tensor(advantages).repeat_interleave(torch.tensor([len(each) for each in targets]))
        _weighed(cross_entropy, torch.cat(logits), torch.cat(targets), weights_N).backward()
        found |= {_name("advantages", scaled): torch.tensor(advantages), _name("gradient", scaled): _gradient(made)}
    return found


def _weighed(loss: Any, logits_NV: torch.Tensor, targets_N: torch.Tensor, weights_N: torch.Tensor) -> Any:
    return loss(logits_NV, targets_N, torch.ones(len(targets_N)), lambda _: weights_N)


def theirs(ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What TRL makes of the same answers in one step, by a trainer for each way."""
    return _step(scaled=True) | _step(scaled=False)


def _step(scaled: bool) -> dict[str, torch.Tensor]:
    import tempfile

    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    found: dict[str, torch.Tensor] = {}

    class Watched(GRPOTrainer):
        """Keeps advantages and gradients."""

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            made = super()._generate_and_score_completions(inputs)
            found[_name("advantages", scaled)] = made["advantages"].clone()
            return made

        def training_step(self, model: Any, *given: Any, **named: Any) -> torch.Tensor:
            loss: torch.Tensor = super().training_step(model, *given, **named)
            found[_name("gradient", scaled)] = _gradient(model)
            return loss

    def rollout(prompts: list[str], trainer: Any) -> dict[str, Any]:
        """The answers of each group in order; a prompt is the number of its group."""
        groups = [int(prompt) for prompt in prompts]
        answers = [ANSWER_IDS[group][at % GROUP] for at, group in enumerate(groups)]
        return {
            "prompt_ids": [PROMPT_IDS[group] for group in groups],
            "completion_ids": answers,
            "logprobs": [[0.0] * len(answer) for answer in answers],
        }

    def reward(prompts: list[str], **_: Any) -> list[float]:
        return [REWARDS[int(prompt)][at % GROUP] for at, prompt in enumerate(prompts)]

    with tempfile.TemporaryDirectory() as folder:
        trainer = Watched(
            model=network(),
            reward_funcs=reward,
            rollout_func=rollout,
            processing_class=AutoTokenizer.from_pretrained(MODEL),
            train_dataset=Dataset.from_list([{"prompt": str(number)} for number in range(PROMPTS)]),
            args=GRPOConfig(
                output_dir=folder,
                max_steps=1,
                per_device_train_batch_size=PROMPTS * GROUP,
                num_generations=GROUP,
                shuffle_dataset=False,
                scale_rewards="group" if scaled else "none",
                loss_type="bnpo",
                beta=0.0,
                use_cpu=True,
                bf16=False,
                report_to=[],
                save_strategy="no",
                disable_tqdm=True,
            ),
        )
        trainer.train()
    return found


def _name(what: str, scaled: bool) -> str:
    return what if scaled else f"{what} without deviation"


def _gradient(made: Any) -> torch.Tensor:
    return torch.cat([weight.grad.flatten() for weight in made.parameters() if weight.grad is not None])
