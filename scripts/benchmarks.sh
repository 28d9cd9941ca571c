#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `make bench`: the figures of doc/benchmarks.md, each with its limit and the command that
# repeats it. PROXEVAL is the program and BENCH_RECORD the program that times one record. The
# kernel must have been built before (./run-bench kernel build); PROXEVAL_BUILD says where.
# With BENCH_COLD=1 the cold run is done, too: it builds everything again, in a folder of its own.
set -euo pipefail

top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
export PROXEVAL_BUILD=${PROXEVAL_BUILD:-$top/build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
readonly quick=(run mutex-inversion --time=virtual --quick --no-progress)
status=0

row() { # WHAT FOUND LIMIT COMMAND
	# shellcheck disable=SC2016  # Markdown's backquotes
	printf '| %s | %s | %s | `%s` |\n' "$@"
}

# A run may end with a verdict that is not "fine"; only 3 and more mean that it did not run.
run_or_explain() { # LOG COMMAND…
	local log=$1 code=0
	shift
	"$@" >"$log" 2>&1 || code=$?
	[ $code -lt 3 ] && return 0
	echo "bench: $* exited with $code:" >&2
	tail -n 20 "$log" >&2
	return 1
}

seconds_since() { # EPOCHREALTIME
	awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'
}

bench_record() {
	"$BENCH_RECORD" >"$scratch/record" || { status=1; cat "$scratch/record" >&2; return; }
	row "recording one sample, beyond the two clock reads" \
		"$(sed -nE 's/.*record[a-z_]*_ns[": =]+([0-9.]+).*/\1 ns/p' "$scratch/record" | head -n 1)" \
		"5 ns" "make bench"
	row "keeping one sample for a median, of a run of any length" \
		"$(sed -n 's/^keep_ns: //p' "$scratch/record") ns, $(sed -n 's/^keep_bytes: //p' "$scratch/record") bytes for all" \
		"10 ns, 33000 bytes" "make bench"
}

# User and system time of one process, in clock ticks.
ticks_of() { # PID
	local stat
	stat=$(<"/proc/$1/stat") 2>/dev/null || return 1
	# shellcheck disable=SC2086  # fields are wanted; the name, which may have spaces, is cut off
	set -- ${stat##*) }
	echo $((${12} + ${13}))
}

has_guest() { # PID
	local children child
	read -ra children < <(cat /proc/"$1"/task/*/children 2>/dev/null | tr '\n' ' '; echo)
	for child in ${children[@]+"${children[@]}"}; do
		case $(cat "/proc/$child/comm" 2>/dev/null) in qemu-system*) return 0 ;; esac
	done
	return 1
}

# Watches the driver while it runs, and adds up its own CPU time over the intervals in which a
# guest ran from end to end.
watch_driver() { # PID
	local pid=$1 ticks last_ticks=-1 now last=0 busy=0 wall=0
	while ticks=$(ticks_of "$pid") 2>/dev/null; do
		now=${EPOCHREALTIME/./}
		if has_guest "$pid"; then
			if [ "$last_ticks" -ge 0 ]; then
				busy=$((busy + ticks - last_ticks))
				wall=$((wall + now - last))
			fi
			last_ticks=$ticks
			last=$now
		else
			last_ticks=-1
		fi
		sleep 0.25
	done
	awk -v ticks="$busy" -v hz="$(getconf CLK_TCK)" -v us="$wall" \
		'BEGIN { if (us) printf "%.2f %%", 100 * ticks / hz / (us / 1e6); else printf "no guest was seen" }'
}

bench_warm() {
	local started pid share code=0 wall_s
	# One run before the clock starts: it makes the guest's image.
	run_or_explain "$scratch/log" "$PROXEVAL" "${quick[@]}" --results "$scratch/first" || { status=1; return; }
	started=$EPOCHREALTIME
	"$PROXEVAL" "${quick[@]}" --results "$scratch/second" >"$scratch/log" 2>&1 &
	pid=$!
	share=$(watch_driver $pid)
	wait $pid || code=$?
	wall_s=$(seconds_since "$started")
	[ $code -lt 3 ] || { status=1; tail -n 20 "$scratch/log" >&2; return; }
	row "warm quick run, both variants, every placement, to the report" "$wall_s s" "60 s" \
		"./run-bench ${quick[*]}"
	row "the driver's own CPU while a guest runs" "$share" "1 %" "make bench"
}

bench_start() {
	local started
	"$top/run-bench" list >/dev/null 2>&1 || true
	started=$EPOCHREALTIME
	"$top/run-bench" list >/dev/null 2>&1 || true
	row "what ./run-bench adds when there is nothing to build, with the list command" \
		"$(seconds_since "$started") s" "0.2 s" "time ./run-bench list"
}

# Wall and CPU seconds and the most memory of one command, as "WALL s (CPU s of CPU), RSS MB".
timed() { # COMMAND…
	local code=0
	/usr/bin/time -q -f '%e %U %S %M' -o "$scratch/time" "$@" >"$scratch/log" 2>&1 || code=$?
	[ $code -lt 3 ] || { echo "bench: $* exited with $code:" >&2; tail -n 5 "$scratch/log" >&2; return 1; }
	awk '{ printf "%.2f s (%.2f s of CPU time), %.0f MB", $1, $2 + $3, $4 / 1024 }' "$scratch/time"
}

# 100 machines x 2 variants x 20 boots with 60 metrics each, all compared; and one of their campaigns.
bench_results() {
	local recorded=$top/tests/fixtures/results/real-rounds/boot-0000-no-proxy.json found
	python3 "$top/tests/make_load_set.py" "$recorded" "$scratch/set"
	found=$(timed "$PROXEVAL" compare "$scratch/set"/*) || { status=1; return; }
	row "4,000 boots of 100 machines compared ($(du -sm --apparent-size "$scratch/set" | cut -f 1) MB of JSON)" \
		"$found" "2 s, 500 MB" "proxeval compare DIR/*, of what tests/make_load_set.py made"
	found=$(timed "$PROXEVAL" report -o "$scratch/report" "$scratch/set/machine-000") || { status=1; return; }
	row "a report of one campaign, 40 boots" "$found" "0.2 s" "proxeval report -o OUT DIR/machine-000"
}

bench_cold() {
	local started=$EPOCHREALTIME
	local command="PROXEVAL_BUILD=\$(mktemp -d) ./run-bench --yes run --time=virtual --quick"
	if [ "${BENCH_COLD:-}" != 1 ]; then
		row "cold run, from nothing built to the report" "not run: needs BENCH_COLD=1" "600 s" "$command"
		return
	fi
	run_or_explain "$scratch/log" env PROXEVAL_BUILD="$scratch/build" "$top/run-bench" --yes \
		"${quick[@]}" --results "$scratch/cold" || { status=1; return; }
	row "cold run, from nothing built to the report" "$(seconds_since "$started") s" "600 s" "$command"
}

row what here limit 'command that repeats it'
echo '|---|---|---|---|'
bench_record
bench_start
bench_results
bench_warm
bench_cold
exit $status
