#!/usr/bin/env python3
"""Measures include/assay_math.cuh on this machine, and writes what the tests compare with.

    kernels/host/maths.py table [STRIDE]    the table of docs/exact-maths.md; every STRIDEth float (default: all of them)
    kernels/host/maths.py samples           writes kernels/tests/maths.txt

Needs g++ with libquadmath.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HOST = Path(__file__).resolve().parent
FLAGS = ["-std=gnu++20", "-O2", "-ffp-contract=off", "-mfma", "-w"]
DOUBLES = "1000000"


def main() -> int:
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode not in ("table", "samples"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "maths"
        libraries = ["-lquadmath", "-lpthread"]
        subprocess.run(["g++", *FLAGS, HOST / "maths.cpp", "-o", program, *libraries], check=True)

        def run(*words: str) -> str:
            return subprocess.run([program, *words], check=True, capture_output=True, text=True).stdout

        if mode == "samples":
            (HOST.parent / "tests" / "maths.txt").write_text(run("samples"))
            return 0
        stride = sys.argv[2] if len(sys.argv) > 2 else "1"
        print("| function | greatest error, ulp | at | arguments tried |\n|---|---|---|---|")
        wrong = 0
        for line in (run("floats", stride) + run("doubles", DOUBLES)).splitlines():
            name, ulp, at, second, count, bad, *where = line.split()
            at = f"{at}, {second}" if second != "0" else at
            print(f"| `{name}` | {ulp} | {at} | {int(count):,} |")
            if int(bad):
                wrong += 1
                print(f"{name}: {bad} special values differ from C's {' '.join(where)}", file=sys.stderr)
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
