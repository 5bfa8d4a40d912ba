#!/usr/bin/env python3
"""Compiles kernels/cuda/**/*.cu to kernels/ptx/**/*.ptx with a pinned nvcc, on any machine, without a GPU.

    kernels/build.py             compile what is stale
    kernels/build.py --force     compile all
    kernels/build.py --check     compile all elsewhere and compare with the committed PTX; exit code 1 if any differs
    kernels/build.py --nvcc      install the toolkit if it is missing and print the path of nvcc
    kernels/build.py FILE.cu     compile only these (paths under kernels/cuda)

The toolkit is a virtual environment in $ASSAY_CUDA_HOME (default: $XDG_CACHE_HOME/assay-cuda or ~/.cache/assay-cuda),
filled with NVIDIA's wheels in the versions below. nvcc uses the system's g++ as its host compiler.

The first line of each PTX file says what it was made of: BLAKE3 over the flags, a newline, the source, and the headers of
kernels/cuda that it includes, in the order of their inclusion (headers include no headers). The crate's tests compute
the same.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

# The 13.0 line: its PTX (version 9.0) is what drivers from 580 on read. Newer compilers write a newer version.
WHEELS = [
    "nvidia-cuda-nvcc==13.0.88",
    "nvidia-cuda-crt==13.0.88",
    "nvidia-nvvm==13.0.88",
    "nvidia-cuda-runtime==13.0.96",
    "nvidia-cuda-cccl==13.0.85",
    "blake3==1.0.11",
]
FLAGS = ["-ptx", "-arch=sm_80", "--fmad=false", "-lineinfo", "-std=c++17"]

ROOT = Path(__file__).resolve().parent
CUDA = ROOT / "cuda"
PTX = ROOT / "ptx"


def home() -> Path:
    """Where the toolkit lives."""
    if "ASSAY_CUDA_HOME" in os.environ:
        return Path(os.environ["ASSAY_CUDA_HOME"])
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "assay-cuda"


def install() -> Path:
    """Installs the wheels unless they are there; returns the environment's Python."""
    place = home()
    python = place / "bin" / "python"
    stamp = place / "installed.txt"
    wanted = "\n".join(WHEELS) + "\n"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"· installing nvcc 13.0 into {place}", file=sys.stderr)
    venv.create(place, with_pip=True, clear=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WHEELS],
        check=True,
    )
    stamp.write_text(wanted)
    return python


def toolkit() -> Path:
    """The folder with bin/nvcc, include and nvvm: the wheels of one release share it."""
    for folder in sorted(home().glob("lib/python3*/site-packages/nvidia/cu13")):
        if (folder / "bin" / "nvcc").exists():
            return folder
    sys.exit(f"build.py: no nvcc under {home()}; delete that folder and try again")


def digest(source: Path) -> str:
    """What a PTX file is made of."""
    from blake3 import blake3

    hasher = blake3((" ".join(FLAGS) + "\n").encode())
    text = source.read_bytes()
    hasher.update(text)
    for header in re.findall(rb'(?m)^#include "([^"]*)"', text):
        hasher.update((CUDA / header.decode()).read_bytes())
    return hasher.hexdigest()


def neutral(ptx: str, kit: Path) -> str:
    """Replaces the paths of this machine in `.file` directives."""

    def name(match: re.Match) -> str:
        path = Path(os.path.normpath(match.group(2)))
        for base, prefix in ((CUDA, ""), (kit, "toolkit/")):
            if path.is_relative_to(base):
                return match.group(1) + prefix + path.relative_to(base).as_posix() + match.group(3)
        return match.group(1) + path.name + match.group(3)

    return re.sub(r'(?m)^(\s*\.file\s+\d+\s+")([^"]*)(".*)$', name, ptx)


def without_lines_of_the_maths(ptx: str) -> str:
    """Leaves out the `.loc` directives of include/assay_math.cuh: they are most of the text where it is used."""
    file = re.search(r'(?m)^\s*\.file\s+(\d+)\s+"assay_math\.cuh"', ptx)
    return re.sub(rf"(?m)^\s*\.loc\s+{file.group(1)}\s.*\n", "", ptx) if file else ptx


def compile(source: Path, kit: Path) -> str:
    """The text of the PTX file of `source`, with its first line."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.ptx"
        command = [kit / "bin" / "nvcc", *FLAGS, "-I", CUDA, source.relative_to(CUDA), "-o", out]
        done = subprocess.run(command, cwd=CUDA, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"build.py: {source.relative_to(ROOT)} does not compile\n{done.stderr}{done.stdout}")
        if done.stderr.strip():
            print(done.stderr.strip(), file=sys.stderr)
        return f"// source blake3 {digest(source)}\n" + without_lines_of_the_maths(neutral(out.read_text(), kit))


def target(source: Path) -> Path:
    """Where the PTX of `source` is kept."""
    return PTX / source.relative_to(CUDA).with_suffix(".ptx")


def fresh(source: Path) -> bool:
    """Whether the committed PTX was made of this source."""
    path = target(source)
    if not path.exists():
        return False
    with path.open() as file:
        return file.readline().strip() == f"// source blake3 {digest(source)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--nvcc", action="store_true")
    parser.add_argument("sources", nargs="*", type=Path)
    options = parser.parse_args()

    python = install()
    if Path(sys.prefix).resolve() != home().resolve():
        os.execv(python, [str(python), str(Path(__file__).resolve()), *map(str, sys.argv[1:])])
    kit = toolkit()
    if options.nvcc:
        print(kit / "bin" / "nvcc")
        return 0

    sources = [path.resolve() for path in options.sources] or sorted(CUDA.rglob("*.cu"))
    if options.check:
        wrong = 0
        for source in sources:
            path = target(source)
            same = path.exists() and path.read_text() == compile(source, kit)
            wrong += not same
            print(f"{'same' if same else 'DIFFERS':8} {path.relative_to(ROOT)}")
        left = {path for path in PTX.rglob("*.ptx")} - {target(source) for source in CUDA.rglob("*.cu")}
        for path in sorted(left):
            wrong += 1
            print(f"{'NO SOURCE':8} {path.relative_to(ROOT)}")
        return 1 if wrong else 0

    for source in sources:
        if fresh(source) and not options.force and not options.sources:
            continue
        path = target(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(compile(source, kit))
        print(f"built {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
