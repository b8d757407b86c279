"""A folder saved by `datasets.save_to_disk` or a Parquet file in, rows out; needs the extra `data`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from everlearn.data.formats.contract import TableFormat
from everlearn.data.rows import Row
from everlearn.data.source import Source
from everlearn.errors import DataError

_SPLITS_FILE = "dataset_dict.json"


class HfDataset(TableFormat):
    """Datasets of the Hugging Face libraries; the line of a row is its number, counted from 1."""

    def recognises(self, source: Source) -> bool:
        """By the files that `save_to_disk` writes, or by Parquet's first bytes."""
        path = source.path
        saved = (path / "state.json").is_file() and (path / "dataset_info.json").is_file()
        return saved or (path / _SPLITS_FILE).is_file() or source.head.startswith(b"PAR1")

    def rows(self, source: Source) -> Iterator[Row]:
        """The rows of the one split.

        Raises:
            DataError: the extra is not installed, several splits, or a damaged dataset.
        """
        records = _parquet_records if source.head else _saved_records
        try:
            for number, values in enumerate(records(_one_split(source.path)), 1):
                yield Row(source.name, number, values)
        except ImportError as error:
            raise DataError(
                f"{source.name}: a dataset of this kind cannot be read without {error.name}",
                "pip install 'everlearn[data]'",
            ) from None
        except DataError:
            raise
        except (OSError, ValueError) as error:
            reason = str(error).split("\n")[0]
            raise DataError(f"{source.name}: damaged dataset: {reason}", "save or download it again") from None


def _one_split(path: Path) -> Path:
    """The folder of the only split, or `path` itself where there are no splits."""
    if not (path / _SPLITS_FILE).is_file():
        return path
    named = json.loads((path / _SPLITS_FILE).read_text(encoding="utf-8"))
    splits = named.get("splits") if isinstance(named, dict) else None
    if not isinstance(splits, list) or not splits:
        raise ValueError(f"{_SPLITS_FILE} names no splits")
    if len(splits) != 1:
        raise DataError(
            f"{path}: the dataset has several splits: {', '.join(map(str, splits))}",
            f"give one: {path / str(splits[0])}",
        )
    return path / str(splits[0])


def _saved_records(path: Path) -> Iterator[dict[str, Any]]:
    import datasets

    yield from datasets.load_from_disk(str(path))


def _parquet_records(path: Path) -> Iterator[dict[str, Any]]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=1000):
            yield from batch.to_pylist()
