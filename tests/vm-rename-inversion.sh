#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Renames between directories in all seven scenarios: they meet on the mutex where two rename, and
# only there; the cgroups have the time of their threads; and load is felt. With load, contention and
# weak cgroups the foreground waits tens of milliseconds behind a background that lost its CPU with
# the mutex held, and with proxy execution it does not.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

# The weights make some five inversions of 30 ms in the long storm (doc/workloads/rename-inversion.md).
cat >"$work/campaign.json" <<-'END'
	{"format": "proxeval-campaign-file", "version": 1, "workload": [
	  {"workload": "rename-inversion", "placement": ["same-cpu"],
	   "param": {"duration_ms": 200, "low_weight": 20},
	   "sweep": {"scenario": "alone,contention,schedload,schedload-contention,contention-throttled,schedload-throttled"}},
	  {"workload": "rename-inversion", "placement": ["same-cpu"],
	   "param": {"duration_ms": 1500, "low_weight": 10, "medium_weight": 100,
	             "scenario": "schedload-contention-throttled"}}]}
END
proxeval run --campaign "$work/campaign.json" --time=virtual --no-progress --boots 1 \
	--kernel-image "$image" --results "$work/results" --watchdog 120
expect_equal "the exit code" 2 "$code"
python3 - "$(campaign)" <<-'END' || fail "what the scenarios say is not what it has to be"
	import glob, json, sys
	means, long_renames, longest_ns = {}, {}, {}
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
	        longest_ns[name] = metrics["rename_latency_max_ns"]["value"]
	        long_renames[name] = metrics["long_renames"]["value"]
	        renames = metrics["renames"]["value"]
	        print(*name, "renames", renames, "mean", round(mean), "ns, longest", longest_ns[name],
	              "ns, long", long_renames[name], "in a second",
	              round(metrics["long_rename_ns_per_s"]["value"]), "ns")
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
	    assert long_renames[label, "alone"] == 0, long_renames
	inverted = "schedload-contention-throttled"
	assert long_renames["!proxy", inverted] >= 1, long_renames
	assert longest_ns["!proxy", inverted] >= 2 * longest_ns["proxy", inverted], longest_ns
	assert long_renames["proxy", inverted] == 0, long_renames
END
expect_nothing_left "a campaign"
finish
