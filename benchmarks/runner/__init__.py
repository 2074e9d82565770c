"""The runner behind ./bench: see benchmarks/README.md for what it does and main.py for where to begin reading."""
