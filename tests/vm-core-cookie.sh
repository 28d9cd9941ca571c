#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Our kernel keeps two cookies apart on a core, with proxy execution on and off; and without
# cookies the meter sees the very same tasks share it, so that it would see it if it did not.
# Where all have one cookie the donor is lent to as if there were none.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

proxeval run core-cookie --time=virtual --no-progress --placement smt-sibling --boots 1 \
	--param samples=1 --param control_samples=1 \
	--kernel-image "$image" --results "$work/results" --watchdog 240
expect_equal "the exit code" 2 "$code"
python3 - "$(campaign)" <<-'END' || fail "what the sections say is not what it has to be"
	import glob, json, sys
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    label = boot["variant"]["label"]
	    assert boot["health"]["clean"], (label, boot["health"])
	    [section] = boot["sections"]
	    assert section["outcome"] == "ok", (label, section["reason"])
	    metrics = {metric["name"]: metric for metric in section["metrics"]}
	    evidence = {item["name"]: item for item in section["evidence"]}
	    cookies = metrics["cookie_violations"]
	    longest_ns = metrics["cookie_overlap_longest_ns"]["value"]
	    without = section["facts"]["control_violation_ns_per_s"]
	    print(label, "violations", cookies["violations"], "longest", longest_ns, "control", without,
	          "wait", metrics["donor_wait_ns"]["p50"], metrics["no_cookie_wait_ns"]["p50"])
	    assert cookies["violations"] == 0 and cookies["exposure"] == 1, label
	    assert longest_ns <= 500000, (label, longest_ns)
	    assert metrics["forced_idle_share"]["value"] > 0.2, label
	    # Without cookies the two sides share the core most of the time.
	    assert without > 0.5e9, (label, without)
	    assert evidence["cookies_as_wanted"]["observed"] == 2, label
	    assert evidence["meter_sees_overlap"]["observed"] == 1, label
	    assert evidence["proxying"]["observed"] == (1 if label == "proxy" else 0), label
	    # Only the control sample: across cookies nothing is promised.
	    unbounded = metrics["unbounded_waits"]
	    assert unbounded["violations"] == 0, (label, unbounded)
	    assert unbounded["exposure"] == (1 if label == "proxy" else 0), (label, unbounded)
END

proxeval run core-cookie --time=virtual --no-progress --placement smt-sibling --boots 1 \
	--param core_sched=one-cookie --param samples=1 --param control_samples=1 \
	--variant proxy::sched_proxy_exec=1 \
	--kernel-image "$image" --results "$work/results" --watchdog 240
expect_equal "the exit code" 2 "$code"
python3 - "$(campaign)" <<-'END' || fail "with one cookie the donor is not lent to"
	import glob, json, sys
	[path] = glob.glob(sys.argv[1] + "/boot-*.json")
	with open(path) as file:
	    [section] = json.load(file)["sections"]
	metrics = {metric["name"]: metric for metric in section["metrics"]}
	assert section["outcome"] == "ok", section["reason"]
	assert metrics["unbounded_waits"]["violations"] == 0, metrics["unbounded_waits"]
	assert metrics["unbounded_waits"]["exposure"] == 2, metrics["unbounded_waits"]
END
expect_nothing_left "a campaign"
finish
