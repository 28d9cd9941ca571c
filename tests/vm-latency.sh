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

for load in hackbench none; do
	proxeval run latency --time=virtual --no-progress --boots 1 --watchdog 120 \
		--topology 2x2x1 --param load=$load --param loops=500 --param warm_up_ms=20 \
		--variant "one:$image:sched_proxy_exec=1" --results "$work/$load"
	result=$(find "$work/$load" -name 'boot-*.json')
	python3 "$TEST_TOP/tests/latency_by_hand.py" --image "$image" "$result" "$work/by-hand" ||
		fail "with load=$load cyclictest by hand says something else"
done
expect_nothing_left "a campaign"
finish
