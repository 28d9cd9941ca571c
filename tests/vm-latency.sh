#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The workload latency says what cyclictest says that a script runs by hand, in a guest that is the
# same but for what is in it: with hackbench beside it and without.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"
need_program hackbench
need_program cyclictest

compare() { # LOAD TOPOLOGY LOOPS WARM-UP-MS
	local load=$1
	proxeval run latency --time=virtual --no-progress --boots 1 --watchdog 120 \
		--topology "$2" --param load="$load" --param loops="$3" --param warm_up_ms="$4" \
		--param interval_us=1037 \
		--variant "one:$image:sched_proxy_exec=1" --results "$work/$load"
	result=$(find "$work/$load" -name 'boot-*.json')
	python3 "$TEST_TOP/tests/latency_by_hand.py" --image "$image" "$result" "$work/by-hand" ||
		fail "with load=$load cyclictest by hand says something else"
}

# An interval that is no multiple of the kernel's tick meets it at every distance.
compare none 2x2x1 500 20
# Where both of two measured CPUs wake up at nearly the same time, the one's turn in virtual time is
# the other's latency, always or never, as the threads happened to start: one measured CPU alone.
# Hackbench needs 0.2 s until all its groups run, and half a second of it is no sample of its ways.
compare hackbench 1x4x1 2000 300
expect_nothing_left "a campaign"
finish
