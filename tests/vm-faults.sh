#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel with deliberate faults: no workload calls one of them fine, and the same kernel without
# a fault is. The cheapest groups of tests/faults/groups.txt; doc/faults.md is of all of them.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

# Before vm_library.sh, which gives this test a build folder of its own.
faulty=$(bash "$TEST_TOP/tests/faults/build.sh" --no-progress 2>/tmp/proxeval-faults-$$.log) || {
	tail -n 20 /tmp/proxeval-faults-$$.log
	rm -f /tmp/proxeval-faults-$$.log
	[ -n "${TEST_KERNEL_IMAGE:-}" ] && skip "a kernel with faults cannot be built here"
	fail "the kernel with faults was not built"
	finish
}
rm -f /tmp/proxeval-faults-$$.log
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

python3 "$TEST_TOP/tests/faults/run.py" --proxeval "$PROXEVAL" --image "$faulty" \
	--results "$work/results" inversion-quick tree || fail "a fault was called fine, or no fault was not"
# A name that does not exist would pass for a fault that nobody finds.
proxeval run mutex-inversion --time=virtual --no-progress --placement same-cpu --boots 1 \
	--param samples=1 --param control_samples=1 --kernel-image "$faulty" --watchdog 60 \
	--variant 'unknown::sched_fault=unknown' --results "$work/unknown"
expect_equal "the outcome with a fault that does not exist" panicked \
	"$(python3 -c 'import glob, json, sys; print(json.load(open(glob.glob(sys.argv[1])[0]))["outcome"])' \
		"$work/unknown/*/boot-*.json")"
expect_nothing_left "the faults"
finish
