"""The exceptions of everlearn: what went wrong and what to do next, in one line each.

EverlearnError          anything a person can put right
├── DataError           a file or a row that cannot be learnt from (file and line in the text)
├── ModelError          a model that cannot be found, loaded or fitted into memory
├── PackageError        a package that cannot be fetched, or is not what it was
├── PluginError         an unknown or broken method, strategy, skill or format
├── SettingsError       a setting that is unknown or out of range, or that differs on resume
├── StoreError          a store that is missing, damaged, locked, read-only, full or too new
└── TrainingError       a run that cannot go on (no trainable token, loss not a number)
"""

from __future__ import annotations


class EverlearnError(Exception):
    """An error with a way out: `problem` says what is wrong, `hint` says what to do about it."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __reduce__(self) -> tuple[type[EverlearnError], tuple[str, str]]:
        return type(self), (self.problem, self.hint)


class DataError(EverlearnError, ValueError):
    """A file or row that cannot be learnt from; the problem starts with `file:line:` where there is one."""


class ModelError(EverlearnError, ValueError):
    """A model that cannot be found, loaded or fitted into memory."""


class PackageError(EverlearnError, OSError):
    """A package that cannot be fetched, is not the file that was expected, or cannot be kept."""


class PluginError(EverlearnError, LookupError):
    """An unknown or broken plug-in; the hint names the nearest one."""


class SettingsError(EverlearnError, ValueError):
    """A setting that is unknown, out of range, or different from those of the run being resumed."""


class StoreError(EverlearnError, OSError):
    """A store that is missing, damaged, locked, read-only, full, or written by a newer version."""


class TrainingError(EverlearnError, RuntimeError):
    """A run that cannot go on: nothing to train on, or a loss that is not a number."""
