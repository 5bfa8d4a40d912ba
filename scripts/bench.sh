#!/usr/bin/env bash
# The figures, each as a ratio against something in the same run. Called by ./x bench.
set -euo pipefail
cd "$(dirname "$0")/.."

release=$CARGO_TARGET_DIR/release

bench() {
    case $1 in
        engine)
            "$release/examples/speed"
            "$release/assay-bench" engine
            ;;
        runtime) "$release/assay-bench" runtime ;;
        *)
            echo "no bench called $1: engine, runtime" >&2
            exit 2
            ;;
    esac
}

cargo build --locked --release --workspace --bin assay-bench --example speed
if [ $# -eq 0 ]; then set -- engine runtime; fi
for name in "$@"; do
    printf '\n\033[1m%s\033[0m\n' "$name"
    bench "$name"
done
