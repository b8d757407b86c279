"""Language models in, logits, texts and weight deltas out; the only folder that imports transformers."""
