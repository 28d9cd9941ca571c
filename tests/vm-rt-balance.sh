#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The highest N real-time tasks run on N CPUs, with proxy execution and without; a guest whose
# CPUs are in two root domains, between which nothing is pushed or pulled, is found out. SCHED_FIFO
# in two rounds, SCHED_RR, whose slices have to end, and SCHED_DEADLINE in one each.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

balance() { # [OPTION…]
	proxeval run rt-balance --time=virtual --no-progress --placement cross-node --boots 1 \
		--param span=online "$@" \
		--variant proxy::sched_proxy_exec=1 --variant '!proxy::sched_proxy_exec=0' \
		--variant 'broken::sched_proxy_exec=0 isolcpus=domain,1-3' \
		--kernel-image "$image" --results "$work/results" --watchdog 240
	expect_equal "the exit code" 1 "$code"
}

check() { # WAKEUPS VIOLATIONS: so many at least, of them with the broken balance
	python3 - "$(campaign)" "$@" <<-'END' || fail "what the sections say is not what it has to be"
		import glob, json, sys
		seen = set()
		wakeups, broken = int(sys.argv[2]), int(sys.argv[3])
		for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
		    with open(path) as file:
		        boot = json.load(file)
		    label = boot["variant"]["label"]
		    seen.add(label)
		    assert boot["health"]["clean"], (label, boot["health"])
		    for section in boot["sections"]:
		        kind = section["params"].get("class", "fifo")
		        assert section["outcome"] == "ok", (label, kind, section["reason"])
		        metrics = {metric["name"]: metric for metric in section["metrics"]}
		        evidence = {item["name"]: item for item in section["evidence"]}
		        violations, slices = metrics["violations"], metrics["slice_overruns"]
		        lent_share = metrics["lent_share"]["value"]
		        print(label, kind, "violations", violations["violations"], "of",
		              violations["exposure"], "longest wait", metrics["wait_ns"]["max"],
		              "slices", slices["violations"], "of", slices["exposure"],
		              "lent share", lent_share)
		        assert violations["exposure"] >= wakeups, (label, kind)
		        assert evidence["trace_whole"]["observed"] == 0, (label, kind)
		        assert slices["violations"] == 0, (label, kind)
		        assert bool(slices["exposure"]) == (kind == "rr"), (label, kind)
		        if label == "broken":
		            assert violations["violations"] >= broken, (label, kind)
		        else:
		            assert violations["violations"] == 0, (label, kind)
		        if label == "proxy":
		            assert lent_share >= 0.3, (label, kind, lent_share)
		        # What is broken runs with proxy execution on: it may lend as it likes.
		        if label == "!proxy":
		            assert lent_share <= 0.1, (label, kind, lent_share)
		assert seen == {"proxy", "!proxy", "broken"}, seen
	END
}

balance --param rounds=2
check 80 3
balance --param rounds=1 --sweep class=rr,deadline
check 40 1
expect_nothing_left "a campaign"
finish
