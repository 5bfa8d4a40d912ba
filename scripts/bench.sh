#!/usr/bin/env bash
# The figures, each as a ratio against something in the same run. Called by ./x bench.
set -euo pipefail
cd "$(dirname "$0")/.."

release=$CARGO_TARGET_DIR/release

bench() {
    case $1 in
        engine)
            "$release/examples/speed"
            printf '\nJobs of the job files:\n\n'
            "$release/examples/suite_speed" --whole blur heat matmul_f32 matmul_int8 montecarlo sha256
            if command -v g++ >/dev/null && command -v python3 >/dev/null; then
                printf '\nBeside the same CUDA C compiled by g++ -O2, one core:\n\n'
                python3 kernels/host/speed.py --programs "$release"
            else
                printf '\ng++ or python3 is not at hand: nothing to compare with.\n'
            fi
            "$release/examples/proportion"
            ;;
        runtime)
            "$release/assay-bench" runtime
            "$release/assay-bench" hard
            ;;
        chain) ASSAY_DEMO_THEN=$release/examples/extrinsics scripts/demo.sh ;;
        *)
            echo "no bench called $1: engine, runtime, chain" >&2
            exit 2
            ;;
    esac
}

if [ $# -eq 0 ]; then set -- engine runtime chain; fi
cargo build --locked --release --workspace --bins --example speed --example suite_speed --example extrinsics --example proportion
"$release/assay-chain-spec" --out "$release/chain-spec"
for name in "$@"; do
    printf '\n\033[1m%s\033[0m\n' "$name"
    bench "$name"
done
