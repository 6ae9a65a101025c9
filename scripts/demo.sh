#!/usr/bin/env bash
# Segments Examples/nuclei.tif with everything running on this machine: a Redis, a model server and
# two consumers of its own, on free ports and in a folder of its own, all gone afterwards.
# KEEP=1 leaves everything running and says how to use and stop it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
output=$root/demo-output
keep=${KEEP:-}
pids=()
work=

say() { printf '%s\n' "$*" >&2; }

# Says which component failed and what it said last.
fail() {
  say "error: $1"
  if [[ -n ${2:-} && -s $2 ]]; then
    say "its last lines ($2):"
    tail -n 20 "$2" >&2
  fi
  exit 1
}

# Last started, first stopped: a consumer that still has a job needs the others to end it.
stop_all() {
  local i pid
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    pid=${pids[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in {1..100}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  done
  pids=()
}

finish() {
  local code=$?
  trap - EXIT INT TERM
  if [[ $code -eq 0 && -n $keep ]]; then exit 0; fi
  stop_all
  [[ -z $work ]] || rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts a program in the background, safe from the terminal's Ctrl-C, with its output in a file.
start() {
  local log=$1
  shift
  setsid "$@" >"$log" 2>&1 </dev/null &
  pids+=($!)
}

# Waits until a command succeeds, at most 30 s, while the last program started still runs.
wait_for() {
  local what=$1 log=$2
  shift 2
  for _ in {1..300}; do
    "$@" && return 0
    kill -0 "${pids[-1]}" 2>/dev/null || fail "$what ended at once" "$log"
    sleep 0.1
  done
  fail "$what did not come up in 30 seconds" "$log"
}

build() {
  say "Building; the first time takes some minutes."
  local product
  for product in consume-redis-events kiosk kiosk-model-server; do
    swift build -c release --product "$product" >&2 || fail "could not build $product"
  done
  bin=$(swift build -c release --show-bin-path)
}

# Whether the Redis that answers is the one just started, and not one that had the port before.
redis_is_ours() {
  [[ $(redis-cli -p "$redis_port" info server 2>/dev/null | tr -d '\r' |
    sed -n 's/^process_id://p') == "${pids[-1]}" ]]
}

start_redis() {
  local log=$work/redis.log
  for _ in {1..20}; do
    redis_port=$((RANDOM % 30000 + 20000))
    start "$log" redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no \
      --dir "$work"
    for _ in {1..100}; do
      redis_is_ours && return 0
      kill -0 "${pids[-1]}" 2>/dev/null || break
      sleep 0.05
    done
    kill -KILL "${pids[-1]}" 2>/dev/null || true
    unset 'pids[-1]'
  done
  fail "Redis found no free port" "$log"
}

start_models() {
  local log=$work/model-server.log
  start "$log" "$bin/kiosk-model-server" --port 0
  wait_for "the model server" "$log" grep -qs '^listening on ' "$log"
  model_port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$log")
}

start_consumers() {
  local number
  for number in 1 2; do
    start "$work/consumer-$number.log" env "${settings[@]}" HOSTNAME="demo-$number" \
      QUEUE=segmentation CONSUMER_TYPE=image LOG_FORMAT=text "$bin/consume-redis-events"
  done
  wait_for "a consumer" "$work/consumer-2.log" grep -qs 'started' "$work/consumer-2.log"
}

build
work=$(mktemp -d "${TMPDIR:-/tmp}/kiosk-demo.XXXXXX")
mkdir -p "$work/bucket" "$work/tmp"
start_redis
start_models
settings=(
  "REDIS_HOST=127.0.0.1" "REDIS_PORT=$redis_port"
  "TF_HOST=127.0.0.1" "TF_PORT=$model_port"
  "STORAGE_BUCKET=file://$work/bucket" "TMPDIR=$work/tmp"
)
start_consumers

rm -rf "$output"
began=$(date +%s%N)
env "${settings[@]}" "$bin/kiosk" run Examples/nuclei.tif -t segmentation -o "$output" --overlay ||
  fail "the job failed" "$work/consumer-1.log"
took=$((($(date +%s%N) - began) / 1000000))
printf 'done in %d.%03d s; results are in %s\n' $((took / 1000)) $((took % 1000)) "$output"

if [[ -n $keep ]]; then
  cat <<EOF

Everything is still running. To send images of your own:

  export$(printf ' %q' "${settings[@]}")
  $(printf '%q' "$bin/kiosk") run IMAGE.tif -t segmentation -o results --overlay

Logs are in $work. To stop it all:

  kill ${pids[*]}; rm -rf $(printf '%q' "$work")
EOF
fi
