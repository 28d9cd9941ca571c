#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The highest N real-time tasks run on N CPUs, with proxy execution and without; a guest whose
# CPUs are in two root domains, between which nothing is pushed or pulled, is found out.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

proxeval run rt-balance --time=virtual --no-progress --placement cross-node --boots 1 \
	--param span=online --param rounds=2 \
	--variant proxy::sched_proxy_exec=1 --variant '!proxy::sched_proxy_exec=0' \
	--variant 'broken::sched_proxy_exec=0 isolcpus=domain,1-3' \
	--kernel-image "$image" --results "$work/results" --watchdog 120
expect_equal "the exit code" 1 "$code"
python3 - "$(campaign)" <<-'END' || fail "what the sections say is not what it has to be"
	import glob, json, sys
	seen = set()
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    label = boot["variant"]["label"]
	    seen.add(label)
	    assert boot["health"]["clean"], (label, boot["health"])
	    [section] = boot["sections"]
	    assert section["outcome"] == "ok", (label, section["reason"])
	    metrics = {metric["name"]: metric for metric in section["metrics"]}
	    evidence = {item["name"]: item for item in section["evidence"]}
	    violations = metrics["violations"]
	    lent_share = metrics["lent_share"]["value"]
	    print(label, "violations", violations["violations"], "of", violations["exposure"],
	          "longest wait", metrics["wait_ns"]["max"], "lent share", lent_share)
	    assert violations["exposure"] >= 80, label
	    assert evidence["trace_whole"]["observed"] == 0, label
	    if label == "broken":
	        assert violations["violations"] >= 3, label
	    elif label == "proxy":
	        # Nobody pulls for a donor that has left: the page has it. Broken is a tenth and more.
	        assert violations["violations"] * 50 <= violations["exposure"], label
	    else:
	        assert violations["violations"] == 0, label
	    if label == "proxy":
	        assert lent_share >= 0.3, (label, lent_share)
	    # What is broken runs with proxy execution on: it may lend as it likes.
	    if label == "!proxy":
	        assert lent_share <= 0.1, (label, lent_share)
	assert seen == {"proxy", "!proxy", "broken"}, seen
END
expect_nothing_left "a campaign"
finish
