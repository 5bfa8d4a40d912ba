#!/usr/bin/env python3
"""Compiles the kernels' CUDA C as C++ for this machine and compares what every job gives with the Rust references.

    kernels/host/check.py [NAME …]       all jobs, or those whose names contain a NAME

Neither nvcc nor the engine takes part: a third opinion beside the references and the engine. Needs g++ and cargo.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HOST = Path(__file__).resolve().parent
CUDA = HOST.parent / "cuda"
FLAGS = ["-std=c++20", "-O1", "-ffp-contract=off", "-fno-strict-aliasing", "-fwrapv", "-w"]


def program(source: Path) -> str:
    """C++ of one .cu file with its entries in a table."""
    text = source.read_text()
    entries = re.findall(r'extern "C" __global__ void\s+(?:__launch_bounds__\(\w+\)\s+)?(\w+)\(', text)
    dynamic = set(re.findall(r"extern __shared__ ([\w ]+?) (\w+)\[\]", text))
    lines = ['#include "cuda.h"']
    lines += [f"thread_local {kind} {name}[98304 / sizeof({kind})];" for kind, name in sorted(dynamic)]
    lines += [f'#include "{source}"', "#include <map>", "#include <string>"]
    lines += ["static std::map<std::string, host::Entry> host_entries() {", "    return {"]
    lines += [f'        {{"{name}", host::entry({name})}},' for name in entries]
    lines += ["    };", "}", '#include "main.h"']
    return "\n".join(lines) + "\n"


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        jobs = Path(scratch) / "jobs"
        export = ["cargo", "run", "--quiet", "--release", "-p", "assay-kernels", "--bin", "export", "--", jobs]
        subprocess.run(export, check=True, cwd=HOST)
        entry_of = {}
        for job in sorted(jobs.iterdir()):
            if sys.argv[1:] and not any(part in job.name for part in sys.argv[1:]):
                continue
            launch = next(line for line in (job / "job.txt").read_text().splitlines() if line.startswith("launch"))
            entry_of[job] = launch.split()[1]
        left, wrong = dict(entry_of), 0
        for source in sorted(CUDA.rglob("*.cu")):
            text = source.read_text()
            mine = [job for job, entry in left.items() if re.search(rf"void\s[^;{{]*\b{entry}\(", text)]
            if not mine:
                continue
            for job in mine:
                del left[job]
            if "asm(" in text or "#include <" in text:
                print(f"skipped {source.name}: inline assembly or a CUDA header")
                continue
            main_cpp, binary = Path(scratch) / "main.cpp", Path(scratch) / "main"
            main_cpp.write_text(program(source))
            compiled = subprocess.run(["g++", *FLAGS, "-I", HOST, "-I", CUDA, main_cpp, "-o", binary])
            if compiled.returncode != 0:
                wrong += 1
                continue
            done = subprocess.run([binary, *mine], capture_output=True, text=True)
            print(done.stdout.replace(f"{jobs}/", ""), end="")
            if done.returncode not in (0, 1):
                print(f"FAILS   {source.name}: {done.returncode} {done.stderr}")
            wrong += done.returncode != 0
        for job, entry in left.items():
            print(f"FAILS   {job.name}: no source has {entry}")
            wrong += 1
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
