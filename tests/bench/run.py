"""All benchmarks, or those that are named: `python tests/bench/run.py [NAME …]`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = {
    "receive": "tests.bench.receive",
    "recompute": "tests.bench.recompute",
    "counts": "tests.bench.counts",
    "imports": "tests.bench.imports",
    "backfill": "tests.bench.backfill",
    "pages": "tests.bench.pages",
}


def main(names):
    """Run each in a process of its own, so that none warms or burdens the next."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        sys.exit(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in names or BENCHMARKS:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", BENCHMARKS[name]], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
