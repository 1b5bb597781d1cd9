#!/usr/bin/env bash
# How much memory Sunward takes with 100 tasks on a real Mosquitto, and how large the program is, against the limits.
#
#   benches/memory.sh [tasks] [cycles]
#
# Builds both variants with `cargo build --release` below CARGO_TARGET_DIR (default: target). Ends with 1 beyond a limit.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin"

tasks="${1:-100}"
cycles="${2:-60}"
target="${CARGO_TARGET_DIR:-target}"
resident_limit=$((10 * 1024 * 1024))
plain_limit=$((12 * 1024 * 1024))
whole_limit=$((24 * 1024 * 1024))

cargo build --locked --release --bin sunward --target-dir "$target"
cargo build --locked --release --bin sunward --no-default-features --target-dir "$target/no-broker"
whole="$target/release/sunward"
plain="$target/no-broker/release/sunward"

folder="$(mktemp -d)"
started=()
trap 'for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done; rm -rf "$folder"' EXIT

# Waits until the command succeeds.
eventually() {
    for _ in $(seq 200); do
        if "$@" 2>/dev/null; then return; fi
        sleep 0.05
    done
    echo "this did not come true: $*" >&2
    exit 1
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

port=0
for candidate in $(shuf -i 20000-60000 -n 20); do
    if listens "$candidate" 2>/dev/null; then continue; fi
    printf 'listener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n' "$candidate" >"$folder/mosquitto.conf"
    mosquitto -c "$folder/mosquitto.conf" >"$folder/mosquitto.log" 2>&1 &
    broker=$!
    eventually listens "$candidate"
    if kill -0 "$broker" 2>/dev/null; then
        started+=("$broker")
        port="$candidate"
        break
    fi
done
[ "$port" -gt 0 ] || { echo "no free port" >&2; exit 1; }

publish() { mosquitto_pub -h 127.0.0.1 -p "$port" "$@"; }

# The first message on a topic, or nothing.
first() { mosquitto_sub -h 127.0.0.1 -p "$port" -C 1 -W 5 -t "$1"; }

counts_all() { first sunward/scheduler/state | grep -q "\"tasks\":$tasks,"; }
is_online() { [ "$(first sunward/scheduler/availability)" = online ]; }

resident() { awk -v field="$2:" '$1 == field { print $2 * 1024 }' "/proc/$1/status"; }

# Registers everybody as plugs do, each with a circuit of its own; a tenth follows the sun by itself.
register() {
    for number in $(seq "$tasks"); do
        more=""
        if [ $((number % 10)) -eq 0 ]; then more=', "auto_adjust": true, "max_power": 7400'; fi
        publish -r -t "sunward/task/plug_$number/config" \
            -m "{\"name\": \"Plug number $number\", \"power\": $((500 + number)), \"keys\": [\"plug_$number\"]$more}"
        publish -r -t "sunward/task/plug_$number/availability" -m online
        publish -r -t "sunward/task/plug_$number/state" -m "{\"running\": $([ $((number % 2)) -eq 0 ] && echo true || echo false)}"
    done
}

# Records with a value for every circuit, and a cycle after each.
cycle() {
    for round in $(seq "$cycles"); do
        record="{\"net\": $((round % 7 * 500 - 3000)), \"solar\": 9000"
        for number in $(seq 2 2 "$tasks"); do record+=", \"plug_$number\": $((500 + number))"; done
        publish -t sunward/power -m "$record}"
        publish -q 1 -t sunward/scheduler/set -m schedule
    done
}

failed=0
check() {
    verdict=ok
    if [ "$2" -gt "$3" ]; then verdict="TOO MUCH" failed=1; fi
    awk -v what="$1" -v is="$2" -v limit="$3" -v verdict="$verdict" \
        'BEGIN { printf "%-48s %6.2f MiB, limit %2d MiB: %s\n", what, is / 1048576, limit / 1048576, verdict }'
}

measure() {
    printf '[mqtt]\nurl = "mqtt://127.0.0.1:%s"\n' "$port" >"$folder/sunward.toml"
    SUNWARD_LOG=warn "$2" --config "$folder/sunward.toml" 2>"$folder/sunward.log" &
    sunward=$!
    started+=("$sunward")
    eventually is_online
    register
    eventually counts_all
    cycle
    first sunward/scheduler/cycle | grep -q '"skipped":null' || { echo "the last cycle was skipped" >&2; exit 1; }
    check "$1: resident, $tasks tasks, $cycles cycles" "$(resident "$sunward" VmRSS)" "$resident_limit"
    awk '/VmHWM|RssAnon|RssFile|Threads/ { print "    " $1, $2, $3 }' "/proc/$sunward/status"
    kill "$sunward"
    wait "$sunward" || true
}

measure "without the embedded broker" "$plain"
measure "with the embedded broker" "$whole"
check "on disk without the embedded broker" "$(stat -c %s "$plain")" "$plain_limit"
check "on disk with it" "$(stat -c %s "$whole")" "$whole_limit"
exit "$failed"
