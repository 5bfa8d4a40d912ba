#!/usr/bin/env python3
"""Times jobs on the engine beside the same CUDA C compiled as C++ for this machine, each on one core.

    kernels/host/speed.py [--times N] [--programs DIR] [NAME …]       the jobs below, or those named

DIR holds the project's programs, if they are built already.

Only kernels whose threads never wait for each other: as C++ they are plain loops over threads, compiled with
`g++ -O2 -ffp-contract=off`. The engine runs them as a worker does, region checks and race detector included; the last
column has the audit digest too. Both sides must give the reference's bytes.
"""

import re
import subprocess
import sys
import tempfile

from check import CUDA, HOST, program
from pathlib import Path

FLAGS = ["-std=c++20", "-O2", "-ffp-contract=off", "-fno-strict-aliasing", "-fwrapv", "-w", "-DHOST_NO_BARRIERS"]
ARITHMETIC = ["sha256", "mandelbrot", "raymarch", "chacha20", "siphash", "lcg_jump", "lennard_jones", "horner"]
MEMORY = ["saxpy", "gemm_naive", "conv3x3", "floyd_warshall", "wave", "life", "laplace3d", "lattice_boltzmann", "relax"]


def host_times(jobs: Path, names: list[str], times: int, scratch: Path) -> dict[str, float]:
    """Seconds of the fastest run of each job as C++."""
    entry_of = {}
    for name in names:
        launch = next(line for line in (jobs / name / "job.txt").read_text().splitlines() if line.startswith("launch"))
        entry_of[name] = launch.split()[1]
    found = {}
    for source in sorted(CUDA.rglob("*.cu")):
        text = source.read_text()
        mine = [name for name, entry in entry_of.items() if re.search(rf"void\s[^;{{]*\b{entry}\(", text)]
        if not mine:
            continue
        main_cpp, binary = scratch / "main.cpp", scratch / "main"
        main_cpp.write_text(program(source))
        subprocess.run(["g++", *FLAGS, "-I", HOST, "-I", CUDA, main_cpp, "-o", binary], check=True)
        for name in mine:
            command = [binary, "--time", str(times), jobs / name]
            done = subprocess.run(command, capture_output=True, text=True)
            what, _, *seconds = done.stdout.split() or ["FAILS", name]
            if what != "time":
                print(f"skipped {name}: {done.returncode} {done.stdout} {done.stderr}")
                continue
            found[name] = float(seconds[0])
    return found


def run_of(kind: str, name: str, programs: Path | None) -> list[str | Path]:
    """The command that runs a program of assay-kernels."""
    if programs:
        return [programs / "examples" / name if kind == "--example" else programs / name]
    return ["cargo", "run", "--quiet", "--release", "-p", "assay-kernels", kind, name, "--"]


def engine_times(names: list[str], times: int, programs: Path | None) -> dict[str, tuple[int, float, float]]:
    """Lane-steps, and seconds without and with the digest."""
    command = run_of("--example", "suite_speed", programs)
    done = subprocess.run([*command, "--times", str(times), *names], check=True, cwd=HOST, capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines()[1:]:
        name, steps, milliseconds, plain, keyed, *_ = line.split()
        if name in names:
            seconds = float(milliseconds) / 1e3
            found[name] = int(steps), seconds, seconds * float(plain) / float(keyed)
    return found


def main() -> None:
    words, times, programs = sys.argv[1:], 5, None
    if "--programs" in words:
        at = words.index("--programs")
        programs = Path(words[at + 1]).resolve()
        del words[at : at + 2]
    if "--times" in words:
        at = words.index("--times")
        times = int(words[at + 1])
        del words[at : at + 2]
    names = words or ARITHMETIC + MEMORY
    engine = engine_times(names, times, programs)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        export = run_of("--bin", "export", programs)
        subprocess.run([*export, scratch / "jobs"], check=True, cwd=HOST)
        host = host_times(scratch / "jobs", names, times, scratch)
    print(f"{'job':20} {'bound by':11} {'lane-steps':>11} {'C++ ms':>9} {'engine ms':>10} {'times slower':>13} {'with digest':>12}")
    for name in (name for name in names if name in host):
        steps, plain, keyed = engine[name]
        bound = "arithmetic" if name in ARITHMETIC else "memory" if name in MEMORY else ""
        seconds = host[name]
        print(
            f"{name:20} {bound:11} {steps:>11} {seconds * 1e3:>9.3f} {plain * 1e3:>10.3f} {plain / seconds:>13.2f} {keyed / seconds:>12.2f}"
        )


if __name__ == "__main__":
    main()
