#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An owner that sleeps in its section: our kernel bounds the wait with proxy execution on and not
# with it off, the evidence holds, and the kernel's books are as they were before.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

proxeval run sleeping-owner --time=virtual --no-progress --placement same-cpu \
	--placement cross-node --boots 1 --param samples=2 --param control_samples=1 \
	--kernel-image "$image" --results "$work/results" --watchdog 120
expect_equal "the exit code" 2 "$code"
python3 - "$(campaign)" <<-'END' || fail "what the sections say is not what it has to be"
	import glob, json, sys
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    label = boot["variant"]["label"]
	    assert boot["health"]["clean"], (label, boot["health"])
	    assert len(boot["sections"]) == 2, label
	    for section in boot["sections"]:
	        name = (label, section["id"])
	        assert section["outcome"] == "ok", (name, section["reason"])
	        metrics = {metric["name"]: metric for metric in section["metrics"]}
	        evidence = {item["name"]: item for item in section["evidence"]}
	        factor = metrics["inversion_factor"]["value"]
	        leak = metrics["uninterruptible_leak"]
	        print(*name, "factor", factor, "leak", leak["violations"])
	        assert leak["violations"] == 0 and leak["exposure"] == 2, name
	        assert evidence["owner_slept"]["observed"] == 2, name
	        assert evidence["donor_blocked"]["observed"] == 2, name
	        if label == "proxy":
	            assert factor <= 1.5, (name, factor)
	            assert evidence["proxying"]["observed"] == 2, name
	        else:
	            assert factor >= 4.9, (name, factor)
	            assert evidence["proxying"]["observed"] == 0, name
END
expect_nothing_left "a campaign"
finish
