#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An owner that sleeps in its section, on whatever it is: our kernel bounds the wait with proxy
# execution on and not with it off, the evidence holds, and the kernel's books are as they were.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

# Of the profile, because that has every sleep_on.
proxeval run sleeping-owner --profile standard --time=virtual --no-progress --placement same-cpu \
	--placement cross-node --boots 1 --param donor=fifo --param samples=1 \
	--param control_samples=1 --kernel-image "$image" --results "$work/results" --watchdog 120
expect_equal "the exit code" 2 "$code"
python3 - "$(campaign)" <<-'END' || fail "what the sections say is not what it has to be"
	import glob, json, sys
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    label = boot["variant"]["label"]
	    assert boot["health"]["clean"], (label, boot["health"])
	    assert len(boot["sections"]) == 8, label
	    sleeps = {section["params"].get("sleep_on", "userfaultfd") for section in boot["sections"]}
	    assert sleeps == {"userfaultfd", "pipe", "fifo", "io_wait"}, (label, sleeps)
	    for section in boot["sections"]:
	        name = (label, section["id"])
	        assert section["outcome"] == "ok", (name, section["reason"])
	        metrics = {metric["name"]: metric for metric in section["metrics"]}
	        evidence = {item["name"]: item for item in section["evidence"]}
	        factor = metrics["inversion_factor"]["value"]
	        print(*name, "factor", factor)
	        for leak in ("uninterruptible_leak", "iowait_leak", "stray_lending"):
	            assert metrics[leak]["violations"] == 0, (name, leak)
	        assert metrics["uninterruptible_leak"]["exposure"] == 1, name
	        assert metrics["iowait_leak"]["exposure"] == 1, name
	        assert evidence["owner_slept"]["observed"] == 1, name
	        assert evidence["donor_blocked"]["observed"] == 1, name
	        if section["params"].get("sleep_on") == "io_wait":
	            assert evidence["owner_waited_for_io"]["observed"] == 1, name
	        else:
	            assert "owner_waited_for_io" not in evidence, name
	        if label == "proxy":
	            assert factor <= 1.5, (name, factor)
	            assert evidence["proxying"]["observed"] == 1, name
	        else:
	            assert factor >= 4.9, (name, factor)
	            assert evidence["proxying"]["observed"] == 0, name
END
expect_nothing_left "a campaign"
finish
