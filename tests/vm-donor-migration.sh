#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A donor lends to an owner on another node, also when the owner is moved or the donor's own CPU is
# unplugged meanwhile, comes back where it may be, and the machine has all its CPUs afterwards.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

proxeval run donor-migration --time=virtual --no-progress --placement cross-node --boots 1 \
	--sweep event=none,owner-moved,donor-cpu-unplugged,cpuset-changed \
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
	    assert boot["environment"]["cpu"]["online_cpus"] == 8, label
	    assert len(boot["sections"]) == 4, label
	    for section in boot["sections"]:
	        name = (label, section["id"])
	        assert section["outcome"] == "ok", (name, section["reason"])
	        metrics = {metric["name"]: metric for metric in section["metrics"]}
	        evidence = {item["name"]: item for item in section["evidence"]}
	        factor = metrics["inversion_factor"]["value"]
	        places = metrics["affinity_violations"]
	        print(*name, "factor", factor, "migrations", metrics["donor_migrations"]["value"],
	              "executions", places["exposure"])
	        assert places["violations"] == 0 and places["exposure"] >= 6, name
	        if "none" not in section["id"]:
	            assert evidence["event_in_time"]["observed"] == 3, name
	        if label == "proxy":
	            assert factor <= 1.5, (name, factor)
	            assert evidence["proxying"]["observed"] == 1, name
	            assert metrics["donor_migrations"]["value"] >= 1, name
	        else:
	            assert factor >= 4, (name, factor)
	            assert evidence["proxying"]["observed"] == 0, name
END
expect_nothing_left "a campaign"
finish
