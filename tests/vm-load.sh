#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The real hackbench and cyclictest run in a guest under their cgroup; a load that wants more memory
# than it may have is killed, and the section says so.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"
need_program hackbench
need_program cyclictest

one() { # WORKLOAD [OPTION…]
	proxeval run "$@" --time=virtual --no-progress --boots 1 --watchdog 120 \
		--variant "one:$image:sched_proxy_exec=1" --results "$work/results"
}

# The section of the newest campaign's only boot, through an expression on "section".
section() { # EXPRESSION
	python3 -c '
import glob, json, sys
with open(glob.glob(sys.argv[1] + "/boot-*.json")[0]) as file:
    boot = json.load(file)
section, = boot["sections"]
metrics = {m["name"]: m for m in section["metrics"]}
evidence = {e["name"]: e for e in section["evidence"]}
print(eval(sys.argv[2]))' "$(campaign)" "$1"
}

one throughput --topology 1x1x2 --param groups=1 --param messages=10 --param runs=1
expect_equal "throughput's outcome" "ok None" "$(section 'section["outcome"] + " " + str(section["reason"])')"
expect_equal "its operations" 4000 "$(section 'int(section["facts"]["operations"])')"
expect_equal "its rate is one" True "$(section 'metrics["operations_per_second"]["value"] > 1000')"
expect_equal "its tool" hackbench "$(section 'section["facts"]["tool"]')"

one throughput --topology 1x1x2 --param groups=20 --param messages=1000 --param runs=1 --param memory_mib=4
expect_equal "the outcome without memory" \
	"failed hackbench took more memory than it may have, and the kernel killed it" \
	"$(section 'section["outcome"] + " " + section["reason"]')"

one latency --topology 2x2x1 --param loops=100 --param warm_up_ms=10
expect_equal "latency's outcome" "ok None" "$(section 'section["outcome"] + " " + str(section["reason"])')"
expect_equal "its samples" 200 "$(section 'metrics["latency_ns"]["samples"]')"
expect_equal "its load" True "$(section 'evidence["machine_loaded"]["held"]')"
expect_equal "the health of the guest" True "$(section 'boot["health"]["clean"]')"
expect_nothing_left "a campaign"
finish
