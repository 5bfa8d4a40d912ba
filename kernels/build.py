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
kernels/cuda that it includes, in the order of their inclusion (headers include no headers), and variants/clang.cuh where
clang reads it. The crate's tests compute
the same.
"""

import argparse
import os
import re
import shutil
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

# Some kernels are compiled in other ways as well, into kernels/variants/NAME: the same jobs, the same bytes.
VARIANTS = {
    "debug": ["-ptx", "-arch=sm_80", "--fmad=false", "-std=c++17", "-G"],
    "sm_75": ["-ptx", "-arch=sm_75", "--fmad=false", "-std=c++17"],
    "sm_90": ["-ptx", "-arch=sm_90", "--fmad=false", "-std=c++17"],
    "clang": ["clang++", "-x", "cuda", "--cuda-device-only", "-S", "--cuda-gpu-arch=sm_80", "-Xclang", "-target-feature", "-Xclang", "+ptx70", "-nocudainc", "-nocudalib", "-O2", "-ffp-contract=off", "-std=c++17", "-w", "-Wno-c++11-narrowing"],
}
VARIED = [
    "blur", "heat", "sha256", "suite/conv", "suite/graph", "suite/linear", "suite/scan", "suite/sort", "suite/stencil",
    "suite/strings",
]
# clang 14 (Debian's) with the declarations of variants/clang.cuh in place of the toolkit's headers.
CLANG_VARIED = ["heat", "matmul_f32", "sha256", "suite/conv", "suite/mma", "suite/scan", "suite/sort"]

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


def digest(source: Path, flags: list[str]) -> str:
    """What a PTX file is made of."""
    from blake3 import blake3

    hasher = blake3((" ".join(flags) + "\n").encode())
    text = source.read_bytes()
    hasher.update(text)
    for header in re.findall(rb'(?m)^#include "([^"]*)"', text):
        hasher.update((CUDA / header.decode()).read_bytes())
    if flags[0] == "clang++":
        hasher.update((ROOT / "variants" / "clang.cuh").read_bytes())
    return hasher.hexdigest()


def neutral(ptx: str, kit: Path) -> str:
    """Replaces the paths of this machine in `.file` directives."""

    def name(match: re.Match) -> str:
        path = Path(os.path.normpath(match.group(2)))
        for base, prefix in ((CUDA, ""), (kit, "toolkit/")):
            if path.is_relative_to(base):
                return match.group(1) + prefix + path.relative_to(base).as_posix() + match.group(3)
        return match.group(1) + path.name + match.group(3)

    # Debugging sections, always last, name folders byte by byte. What is left must load without them: lines of inlined functions
    # refer to strings there, and a target for debugging wants all of it.
    ptx, *sections = re.split(r"(?m)^\s*\.section\s+\.debug", ptx, maxsplit=1)
    labels = sorted(set(re.findall(r"function_name (\$L__info_string\d+)", ptx)), key=lambda label: (len(label), label))
    if sections and labels:
        ptx += "\t.section\t.debug_str\n\t{\n" + "".join(f"{label}:\n.b8 0\n" for label in labels) + "\t}\n"
    ptx = re.sub(r"(?m)^(\.target sm_\w+), debug$", r"\1", ptx)
    return re.sub(r'(?m)^(\s*\.file\s+\d+\s+")([^"]*)(".*)$', name, ptx)


def without_lines_of_the_maths(ptx: str) -> str:
    """Leaves out the `.loc` directives of include/assay_math.cuh: they are most of the text where it is used."""
    file = re.search(r'(?m)^\s*\.file\s+(\d+)\s+"assay_math\.cuh"', ptx)
    if not file:
        return ptx
    kept, seen = [], set()
    for line in ptx.splitlines(keepends=True):
        if line.lstrip().startswith(".loc"):
            place, _, into = line.strip().removeprefix(".loc").partition("inlined_at")
            place = tuple(place.replace(",", " ").split()[:3])
            # What is inlined into a line that is not there any more goes as well: ptxas refuses it.
            if place[0] == file.group(1) or into and tuple(into.split()[:3]) not in seen:
                continue
            seen.add(place)
        kept.append(line)
    return "".join(kept)


def assemble(text: str, kit: Path, source: Path) -> None:
    """What a driver would not load is refused here: ptxas assembles it, for the oldest architecture it knows where the text's is older."""
    wanted = int(re.search(r"(?m)^\.target sm_(\d+)", text).group(1))
    with tempfile.TemporaryDirectory() as scratch:
        ptx = Path(scratch) / "out.ptx"
        ptx.write_text(text)
        command = [kit / "bin" / "ptxas", f"-arch=sm_{max(wanted, 75)}", "-O0", ptx, "-o", Path(scratch) / "out.cubin"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"build.py: ptxas refuses what {source.relative_to(ROOT)} became\n{done.stderr}{done.stdout}")


def compile(source: Path, kit: Path, flags: list[str]) -> str:
    """The text of the PTX file of `source`, with its first line."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.ptx"
        if flags[0] == "clang++":
            compiler = [*flags, "-include", ROOT / "variants" / "clang.cuh"]
        else:
            compiler = [kit / "bin" / "nvcc", *flags]
        command = [*compiler, "-I", CUDA, source.relative_to(CUDA), "-o", out]
        done = subprocess.run(command, cwd=CUDA, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"build.py: {source.relative_to(ROOT)} does not compile\n{done.stderr}{done.stdout}")
        if done.stderr.strip():
            print(done.stderr.strip(), file=sys.stderr)
        text = without_lines_of_the_maths(neutral(out.read_text(), kit))
        assemble(text, kit, source)
        return f"// source blake3 {digest(source, flags)}\n" + text


def targets(source: Path) -> list[tuple[Path, list[str]]]:
    """Where the PTX of `source` is kept, and the flags it is made with."""
    name = source.relative_to(CUDA).with_suffix(".ptx")
    made = [(PTX / name, FLAGS)]
    for variant, flags in VARIANTS.items():
        if name.with_suffix("").as_posix() in (CLANG_VARIED if variant == "clang" else VARIED):
            made.append((ROOT / "variants" / variant / name, flags))
    return made


def fresh(source: Path, path: Path, flags: list[str]) -> bool:
    """Whether the committed PTX was made of this source."""
    if not path.exists():
        return False
    with path.open() as file:
        return file.readline().strip() == f"// source blake3 {digest(source, flags)}"


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
            for path, flags in targets(source):
                if flags[0] == "clang++" and not shutil.which("clang++"):
                    continue
                same = path.exists() and path.read_text() == compile(source, kit, flags)
                wrong += not same
                print(f"{'same' if same else 'DIFFERS':8} {path.relative_to(ROOT)}")
        kept = {path for folder in (PTX, ROOT / "variants") for path in folder.rglob("*.ptx")}
        for path in sorted(kept - {path for source in CUDA.rglob("*.cu") for path, _ in targets(source)}):
            wrong += 1
            print(f"{'NO SOURCE':8} {path.relative_to(ROOT)}")
        return 1 if wrong else 0

    for source in sources:
        for path, flags in targets(source):
            if fresh(source, path, flags) and not options.force and not options.sources:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(compile(source, kit, flags))
            print(f"built {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
