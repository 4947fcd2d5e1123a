"""The same formulas, compiled: traced, written as loops, and put into a step that threads share (README.md)."""
