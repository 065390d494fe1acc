"""One file per problem; see benchmarks/README.md."""
