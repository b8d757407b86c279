"""The arguments of `learn` in; everything that can be wrong with them found before anything is created or trained."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from everlearn import plugins
from everlearn.cli.terminal.output import say
from everlearn.data import read_items, read_questions
from everlearn.data.places import counted, places
from everlearn.errors import StoreError
from everlearn.estimate import require_memory, size_of
from everlearn.grade import CHECKS
from everlearn.learner import DEFAULT_METHOD
from everlearn.lineage import Lineage
from everlearn.methods.contract import Method
from everlearn.model.cache import DEFAULT_MODEL, model_directory
from everlearn.model.chat import Chat
from everlearn.model.tokenizer import chat_format
from everlearn.records import Example, Item, Origin, Question
from everlearn.settings import nearest, with_values
from everlearn.store import Store
from everlearn.study.lesson import DEFAULT as DEFAULT_STUDY
