#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Renames between directories in all seven scenarios: they meet on the mutex where two rename, and
# only there; the cgroups have the time of their threads; and load is felt. How much proxy execution
# gives back takes longer storms than a test may.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

proxeval run rename-inversion --profile standard --time=virtual --no-progress --placement same-cpu \
	--boots 1 --param duration_ms=400 --param low_weight=20 --kernel-image "$image" \
	--results "$work/results" --watchdog 120
expect_equal "the exit code" 2 "$code"
python3 - "$(campaign)" <<-'END' || fail "what the scenarios say is not what it has to be"
	import glob, json, sys
	means = {}
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    label = boot["variant"]["label"]
	    assert boot["health"]["clean"], (label, boot["health"])
	    assert len(boot["sections"]) == 7, label
	    for section in boot["sections"]:
	        scenario = section["params"]["scenario"]
	        name = (label, scenario)
	        assert section["outcome"] == "ok", (name, section["reason"])
	        metrics = {metric["name"]: metric for metric in section["metrics"]}
	        evidence = {item["name"]: item for item in section["evidence"]}
	        mean = means[name] = metrics["rename_latency_mean_ns"]["value"]
	        renames = metrics["renames"]["value"]
	        print(*name, "renames", renames, "mean", round(mean), "ns")
	        assert renames >= 1, name
	        has_two = "contention" in scenario
	        assert ("contended" in evidence) == has_two, name
	        assert ("uncontended" in evidence) != has_two, name
	        assert (metrics["background_renames_per_s"]["value"] > 0) == has_two, name
	        throttled = "throttled" in scenario
	        assert ("renamer_throttled" in evidence) == (throttled and has_two), name
	        assert ("load_throttled" in evidence) == (throttled and "schedload" in scenario), name
	for label in ("proxy", "!proxy"):
	    assert means[label, "schedload-contention"] > 2 * means[label, "alone"], means
END
expect_nothing_left "a campaign"
finish
