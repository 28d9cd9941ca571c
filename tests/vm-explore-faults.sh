#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Faults of the kernel that say nothing themselves are found by what the search watches: load
# accounting that leaks, and cookies that are not kept apart. tests/faults/ has them.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

# Before vm_library.sh, which gives this test a build folder of its own.
log=$(mktemp /tmp/proxeval-faults-XXXXXX)
faulty=$(bash "$TEST_TOP/tests/faults/build.sh" --no-progress 2>"$log") || {
	tail -n 20 "$log"
	rm -f "$log"
	[ -n "${TEST_KERNEL_IMAGE:-}" ] && skip "a kernel with faults cannot be built here"
	fail "the kernel with faults was not built"
	finish
}
rm -f "$log"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

# Searches the kernel with a fault until it finds something: KIND TEXT.
expect_find() { # FAULT KIND TEXT OPTION…
	local fault=$1 kind=$2 text=$3 find=$work/results/$1/finds/0001
	shift 3
	proxeval explore --no-progress --until-found --seeds 20 --shrink-runs 0 --kernel-image "$faulty" \
		--results "$work/results" --id "$fault" --variant "proxy::sched_proxy_exec=1 sched_fault=$fault" "$@"
	expect_equal "the exit code of a search with the fault $fault" 1 "$code"
	expect_equal "what the fault $fault is found as" "$kind: $text" "$(python3 -c '
import json, sys
signature = json.load(open(sys.argv[1] + "/find.json"))["signature"]
print(signature["kind"] + ": " + signature["text"])' "$find")"
	proxeval explore --replay "$find" --no-progress
	expect_contains "the replay of the fault $fault" "the same, byte for byte" "$(cat "$work/stdout")"
}

expect_find uninterruptible accounting "nr_uninterruptible is off" --only f-pos --only sleeping-owner --rounds 2
expect_find cookie cookies "actors of different cookies ran on one core" \
	--only f-pos --only sleeping-owner --only cookies --only affinity
expect_nothing_left "the searches"
finish
