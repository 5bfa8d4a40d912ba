#!/usr/bin/env bash
# The demo: a chain, a provider, two jobs bought and paid, then a cheat convicted. Called by ./x demo, which has built everything.
set -euo pipefail
cd "$(dirname "$0")/.."

image=kernels/blur/photo.png
while [ $# -gt 0 ]; do
    case $1 in
        --image)
            image=${2:?--image wants a PNG file}
            shift 2
            ;;
        *)
            echo "usage: ./x demo [--image FILE.png]" >&2
            exit 2
            ;;
    esac
done
[ -r "$image" ] || { echo "cannot read $image" >&2; exit 2; }
image=$(realpath "$image")

bin=${CARGO_TARGET_DIR:-$HOME/.cache/assay-target}/release
out=${CARGO_TARGET_DIR:-$HOME/.cache/assay-target}/demo
scratch=$(mktemp -d)
rm -rf "$out"
mkdir -p "$out"
began=$SECONDS

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
pids=()
stop() {
    local status=$?
    trap - EXIT INT TERM
    [ ${#pids[@]} -eq 0 ] || { kill "${pids[@]}" 2>/dev/null || true; wait "${pids[@]}" 2>/dev/null || true; }
    if [ $status -ne 0 ]; then
        echo "The demo failed; the logs are in $scratch" >&2
    else
        rm -rf "$scratch"
    fi
    exit $status
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

rpc_port=$(free_port)
export ASSAY_NODE=ws://127.0.0.1:$rpc_port
assay() { "$bin/assay" "$@"; }
rpc() {
    curl -sf -H 'content-type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "http://127.0.0.1:$rpc_port"
}
until_true() { # SECONDS WHAT COMMAND…
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null || { echo "a program ended while waiting until $what" >&2; tail -n 5 "$scratch"/*.log >&2; exit 1; }; done
        [ $SECONDS -lt $limit ] || { echo "waited too long until $what" >&2; exit 1; }
        sleep 0.3
    done
}
start_worker() { # KEY PORT LOG …
    local key=$1 port=$2 log=$3
    shift 3
    "$bin/assay-worker" run --key "$key" --listen "127.0.0.1:$port" --data "$scratch/$log" "$@" >"$scratch/$log.log" 2>&1 &
    pids+=($!)
    until_true 30 "the worker answers" curl -sf "http://127.0.0.1:$port/healthz"
}

stop_one() { # PID
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    local pid left=()
    for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
    pids=("${left[@]}")
}

say "1  A chain of our own, one validator, a block every 2 s"
"$bin/assay-node" --dev --base-path "$scratch/chain" --rpc-port "$rpc_port" --listen-addr /ip4/127.0.0.1/tcp/0 \
    --no-mdns --no-telemetry --no-prometheus >"$scratch/node.log" 2>&1 &
pids+=($!)
first_block() { rpc chain_getBlockHash "[1]" | jq -e '.result != null'; }
until_true 60 "the chain makes blocks" first_block
echo "  $ASSAY_NODE"

say "2  Bob stakes and runs a worker; Dave stakes too: he will cheat"
honest_port=$(free_port)
cheat_port=$(free_port)
assay provider register --key //Bob --stake 100000 --endpoint "http://127.0.0.1:$honest_port" &
registered=$!
assay provider register --key //Dave --stake 100000 --endpoint "http://127.0.0.1:$cheat_port" >"$scratch/dave.log"
wait $registered
start_worker //Bob "$honest_port" honest
honest=${pids[-1]}

say "3  Charlie buys a blurred picture, Eve the price of an option"
assay job submit kernels/montecarlo/job.toml --key //Eve --max-price 5 --wait --out "$out/montecarlo" --json >"$scratch/montecarlo.json" 2>"$scratch/montecarlo.log" &
option=$!
assay job submit kernels/blur/job.toml --image photo="$image" --key //Charlie --max-price 5 --wait --out "$out/blur" --json >"$scratch/blur.json"
wait $option || { cat "$scratch/montecarlo.log" >&2; exit 1; }
for name in blur montecarlo; do
    echo
    assay job show "$(jq .order "$scratch/$name.json")"
done
stop_one "$honest"

say "4  Dave's worker changes one byte of its result"
start_worker //Dave "$cheat_port" cheat --sabotage wrong-byte
assay job submit kernels/montecarlo/job.toml --key //Ferdie --max-price 5 --wait --json >"$scratch/cheated.json" 2>"$scratch/cheated.log" &
waits=$!
order=$(($(jq .order "$scratch/blur.json") > $(jq .order "$scratch/montecarlo.json") ? $(jq .order "$scratch/blur.json") : $(jq .order "$scratch/montecarlo.json")))
order=$((order + 1))
convicted() { rpc assay_order "[$order]" | jq -e '.result.attempts[0].failure == "provider_fault"'; }
until_true 60 "the cheat is convicted" convicted
assay job cancel "$order" --key //Ferdie
kill $waits 2>/dev/null || true
cancelled() { rpc assay_order "[$order]" | jq -e '.result.status == "cancelled"'; }
until_true 30 "the customer is refunded" cancelled
echo
assay job show "$order"

jq -n --slurpfile blur <(rpc assay_order "[$(jq .order "$scratch/blur.json")]") \
    --slurpfile montecarlo <(rpc assay_order "[$(jq .order "$scratch/montecarlo.json")]") \
    --slurpfile cheated <(rpc assay_order "[$order]") \
    '{blur: $blur[0].result, montecarlo: $montecarlo[0].result, cheated: $cheated[0].result}' >"$out/receipt.json"

say "Done in $((SECONDS - began)) s"
# ./x bench chain looks at the chain before it stops.
[ -z "${ASSAY_DEMO_THEN:-}" ] || "$ASSAY_DEMO_THEN" "$ASSAY_NODE"
find "$out" -type f | sort | sed 's/^/  /'
