"""GradBench: `python -m benchmarks.gradbench` is a tool for it."""
