#!/usr/bin/env bash
# Does a job of each kind with everything running on this machine: a Redis, a model server and
# consumers of its own, on free ports and in a folder of its own, all gone afterwards.
# KEEP=1 leaves everything running and says how to use and stop it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
output=$root/demo-output
keep=${KEEP:-}
pids=()
work=
# Settings for another service would lead elsewhere.
unset "${!REDIS_@}" "${!TF_@}" "${!STORAGE_@}"

# One consumer each: the queue it serves and its CONSUMER_TYPE. Those of archives and movies let the
# first queue's consumers segment their images.
consumers=(
  segmentation:image segmentation:image segmentation:zip caliban:tracking mesmer:mesmer
)

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

# Waits until a command succeeds, at most 30 s, while the program of this process id still runs.
wait_for() {
  local what=$1 pid=$2 log=$3
  shift 3
  for _ in {1..300}; do
    "$@" && return 0
    kill -0 "$pid" 2>/dev/null || fail "$what ended at once" "$log"
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
  local log=$output/logs/redis.log
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
  local log=$output/logs/model-server.log
  start "$log" "$bin/kiosk-model-server" --port 0
  wait_for "the model server" "${pids[-1]}" "$log" grep -qs '^listening on ' "$log"
  model_port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$log")
}

start_consumers() {
  local number log started=${#pids[@]}
  for number in "${!consumers[@]}"; do
    start "$(consumer_log "$number")" env "${settings[@]}" HOSTNAME="demo-$number" \
      QUEUE="${consumers[number]%:*}" CONSUMER_TYPE="${consumers[number]#*:}" \
      SEGMENTATION_QUEUE="${consumers[0]%:*}" LOG_FORMAT=text "$bin/consume-redis-events"
  done
  for number in "${!consumers[@]}"; do
    log=$(consumer_log "$number")
    wait_for "the consumer ${consumers[number]}" "${pids[started + number]}" "$log" \
      grep -qs 'started' "$log"
  done
}

consumer_log() { printf '%s' "$output/logs/consumer-$1-${consumers[$1]#*:}.log"; }

make_samples() {
  mkdir "$output/inputs"
  cp Examples/nuclei.tif "$output/inputs/"
  "$bin/kiosk" sample plate -o "$output/inputs" >/dev/null &&
    "$bin/kiosk" sample movie -o "$output/inputs" --frames 16 --count 24 --seed 2 >/dev/null &&
    "$bin/kiosk" sample tissue -o "$output/inputs" >/dev/null ||
    fail "could not make the samples"
}

# Does one job: the number of its consumer, its input, and options of `kiosk run`. Adds a row for it
# to the list.
do_job() {
  local number=$1 input=$2 type=${consumers[$1]#*:} began took found
  shift 2
  began=$(date +%s%N)
  found=$("$bin/kiosk" run "$output/inputs/$input" -t "${consumers[number]%:*}" -o "$output/$type" \
    --overlay --timeout 120 "$@") || fail "the $type job failed" "$(consumer_log "$number")"
  took=$((($(date +%s%N) - began) / 1000000))
  # The first line of the output says what was found: `nuclei.tif: 125 cells (...)`.
  found=${found%%$'\n'*}
  local pictures=("$output/$type"/*_overlay.png)
  [[ -s ${pictures[0]} ]] || fail "there is no picture of the $type job"
  local more=
  ((${#pictures[@]} == 1)) || more=" and $((${#pictures[@]} - 1)) more"
  rows+=("$(printf '%-9s %-11s %4d.%03d s  %-33s %s' "$type" "$input" $((took / 1000)) \
    $((took % 1000)) "${found#*: }" "${pictures[0]#"$root/"}$more")")
}

build
work=$(mktemp -d "${TMPDIR:-/tmp}/kiosk-demo.XXXXXX")
mkdir -p "$work/bucket" "$work/tmp"
rm -rf "$output"
mkdir -p "$output/logs"
make_samples
start_redis
start_models
settings=(
  "REDIS_HOST=127.0.0.1" "REDIS_PORT=$redis_port"
  "TF_HOST=127.0.0.1" "TF_PORT=$model_port"
  "STORAGE_BUCKET=file://$work/bucket" "TMPDIR=$work/tmp"
)
start_consumers
export "${settings[@]}"

rows=()
do_job 0 nuclei.tif
do_job 2 plate.zip
do_job 3 movie.tif --labels
do_job 4 tissue.tif

printf '\n%-9s %-11s %10s  %-33s %s\n' job input time found picture
printf '%s\n' "${rows[@]}"
printf '\nLabel images are next to the pictures, inputs and logs in %s.\n' "${output#"$root/"}"

if [[ -n $keep ]]; then
  cat <<EOF

Everything is still running. To send images of your own:

  export$(printf ' %q' "${settings[@]}")
  $(printf '%q' "$bin/kiosk") run IMAGE.tif -t segmentation -o results --overlay

Zip archives go the same way, movies with -t caliban, tissue with -t mesmer. To stop it all:

  kill ${pids[*]}; rm -rf $(printf '%q' "$work")
EOF
fi
