#!/usr/bin/env bash
# The figures, each as a ratio against something in the same run. Called by ./x bench.
set -euo pipefail
cd "$(dirname "$0")/.."

bench() {
    case $1 in
        engine)
            cargo run --locked --release --workspace --example speed
            cargo run --locked --release --workspace --bin assay-bench -- engine
            ;;
        runtime) cargo run --locked --release --workspace --bin assay-bench -- runtime ;;
        *)
            echo "no bench called $1: engine, runtime" >&2
            exit 2
            ;;
    esac
}

if [ $# -eq 0 ]; then set -- engine runtime; fi
for name in "$@"; do
    printf '\n\033[1m%s\033[0m\n' "$name"
    bench "$name"
done
