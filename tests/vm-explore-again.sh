#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a search does besides finding: a guest that hangs is a find with its place, one that the
# wall's clock ended is none; Ctrl-C keeps what was found, and --resume tries each other seed once; a
# debugger stops just before a find, and nothing of it is left.
# shellcheck disable=SC2016,SC2317 # $rip is gdb's; await calls functions by their names
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"
need_program gdb

plan=(explore --no-progress --only f-pos --only signals --kernel-image "$image" --results "$work/results" --shrink-runs 0)
planted="proxy::sched_proxy_exec=1 proxeval_plant"

kind() { # FIND
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/find.json"))["signature"]["kind"])' "$1"
}

# The seeds that the journal of ID says are through, sorted.
seeds_done() { # ID
	python3 - "$work/results/$1/journal.jsonl" <<-'END'
	import json, sys
	events = [json.loads(line) for line in open(sys.argv[1]) if line.endswith("\n")]
	print(*sorted(event["seed"] for event in events
	              if event["event"] == "seed" and event["end"] in ("clean", "found")))
	END
}

guest_pid() { # the guest of this test
	local process
	for process in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -q "^qemu-system.*$work/" && echo "${process#/proc/}"
	done
}

# ---- a guest that hangs --------------------------------------------------------------------------
proxeval "${plan[@]}" --id hang --until-found --variant "$planted=hang,f-pos,signals,1"
expect_equal "the exit code of a search that finds a hang" 1 "$code"
find=$work/results/hang/finds/0001
expect_equal "the kind of what hangs" hang "$(kind "$find")"
grep -q "NMI" "$find/stack.txt" || fail "the hang's stack does not come from the NMI"
grep -q "RIP: 0010:" "$find/stack.txt" || fail "the hang does not say where"
proxeval explore --replay "$find" --no-progress
expect_contains "a hang's replay" "the same, byte for byte" "$(cat "$work/stdout")"

# CPUs that only spin for each other move virtual time by next to nothing: they must not wait for its end.
proxeval "${plan[@]}" --id spin --until-found --variant "$planted=spin,f-pos,signals,1"
expect_equal "the exit code of a search that finds a spin" 1 "$code"
expect_equal "the kind of what spins" hang "$(kind "$work/results/spin/finds/0001")"
proxeval explore --replay "$work/results/spin/finds/0001" --no-progress
expect_contains "a spin's replay" "the same, byte for byte" "$(cat "$work/stdout")"

# ---- a debugger ----------------------------------------------------------------------------------
proxeval "${plan[@]}" --id crash --until-found --variant "$planted=crash,f-pos,signals,1"
expect_equal "the exit code of a search that finds a crash" 1 "$code"
find=$work/results/crash/finds/0001
start explore --replay "$find" --gdb --before 50 --no-progress
stands() { grep -q "stands still" "$work/stderr"; }
if await stands; then
	socket=$(sed -n "s/.*-ex 'target remote \([^']*\)'.*/\1/p" "$work/stderr")
	# It is stopped where it says; and only then goes on, into the crash.
	gdb -batch -nx -ex 'set architecture i386:x86-64' -ex "target remote $socket" \
		-ex 'printf "stopped at %#lx\n", $rip' -ex 'bt 1' -ex detach >"$work/gdb" 2>&1 ||
		fail "gdb says: $(cat "$work/gdb")"
	grep -Eq '^stopped at 0x[0-9a-f]+$' "$work/gdb" || fail "gdb does not say where the machine is: $(cat "$work/gdb")"
	grep -Eq '^#0 ' "$work/gdb" || fail "gdb has no backtrace: $(cat "$work/gdb")"
fi
code=0
wait "$driver" || code=$?
expect_equal "the exit code behind the debugger" 1 "$code"
expect_contains "what follows the debugger" "it shows again" "$(cat "$work/stdout")"
python3 - "$find" "$work/stderr" <<'END' || fail "the machine does not stop so long before the find: $(cat "$work/stderr")"
import json, re, sys
at_ns = json.load(open(sys.argv[1] + "/find.json"))["signature"]["at_ns"]
stopped_s = re.search(r"stands still at ([0-9.]+) s", open(sys.argv[2]).read()).group(1)
before_ns = at_ns - round(float(stopped_s) * 1e9)
print("stopped", before_ns, "ns before")
assert 49000 <= before_ns <= 50000, before_ns
END
expect_nothing_left "a debugger"

# Ctrl-C while it stands still ends it.
start explore --replay "$find" --gdb --no-progress
await stands || true
kill -INT "$driver"
wait "$driver" || true
expect_nothing_left "Ctrl-C of a machine that stands still"

# ---- stopped, and gone on with ---------------------------------------------------------------------
start "${plan[@]}" --id stopped --seeds 5 --jobs 1 --variant "$planted=crash,f-pos,signals,1"
has_two() { [ "$(grep -c '"event":"seed"' "$work/results/stopped/journal.jsonl")" -ge 2 ]; }
await has_two
kill -INT "$driver"
code=0
wait "$driver" || code=$?
expect_equal "the exit code of a stopped search" 6 "$code"
expect_contains "a stopped search" "--resume $work/results/stopped" "$(cat "$work/stderr")"
expect_nothing_left "Ctrl-C of a search"
before=$(seeds_done stopped)
[ -n "$before" ] || fail "the journal of a stopped search says nothing"
first_find() { (cd "$work/results/stopped/finds/0001" && sha256sum find.json log.txt); }
kept=$(first_find) || fail "a stopped search kept no find"
start explore --resume "$work/results/stopped" --jobs 1 --no-progress
has_guest() { [ -n "$(guest_pid)" ]; }
await has_guest
kill -KILL "$driver"
wait "$driver" 2>/dev/null || true
proxeval explore --resume "$work/results/stopped" --jobs 2 --no-progress
expect_equal "the exit code of what was gone on with" 1 "$code"
expect_contains "what was gone on with" "5 of 5 seeds tried" "$(cat "$work/stdout")"
expect_equal "the seeds of a search in three parts" "1 2 3 4 5" "$(seeds_done stopped)"
expect_equal "the finds after it went on" "$kept" "$(first_find)"
expect_nothing_left "a search that was gone on with"

# ---- a guest that the wall's clock ends ----------------------------------------------------------
start "${plan[@]}" --id silent --seeds 1 --jobs 1 --watchdog 3
if await has_guest; then
	kill -STOP "$(guest_pid)"
fi
code=0
wait "$driver" || code=$?
expect_equal "the exit code when no guest says anything" 4 "$code"
expect_contains "a guest that is stopped" "seed 1 says nothing (no progress): no sign of life" "$(cat "$work/stderr")"
expect_contains "a guest that is stopped" "0 of 1 seeds tried" "$(cat "$work/stdout")"
grep -q '"end":"no-progress"' "$work/results/silent/journal.jsonl" || fail "the journal does not say no-progress"
[ -z "$(ls "$work/results/silent/finds")" ] || fail "a guest without progress is no find"
expect_nothing_left "a guest without progress"
finish
