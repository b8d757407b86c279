"""Files in, items and questions out: `read_items` to learn from, `read_questions` to be examined on."""

from everlearn.data.reading import Reading, read_items, read_questions

__all__ = ["Reading", "read_items", "read_questions"]
