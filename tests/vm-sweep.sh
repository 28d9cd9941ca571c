#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A campaign file with a sweep, run for real: a section for each value, under ids that tell them
# apart, and in every document in the order of the values and not of their letters.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

proxeval run --campaign "$TEST_TOP/tests/fixtures/campaign-files/growth.json" --param samples=1 \
	--no-progress --kernel-image "$image" --results "$work/results" --watchdog 120
expect_equal "the exit code" 2 "$code"
expect_contains "what is announced" \
	"workload mutex-inversion, with section_us = 4000, 8000, 16000; in same-cpu" "$said"
python3 - "$(campaign)" <<-'END' || fail "the sections are not those of the sweep"
	import glob, json, sys
	folder = sys.argv[1]
	def load(name):
	    with open(name) as file:
	        return json.load(file)
	plan = [(item["params"]["section_us"], item["params"]["samples"]) for item in load(folder + "/campaign.json")["work"]]
	assert plan == [("4000", "1"), ("8000", "1"), ("16000", "1")], plan
	for path in sorted(glob.glob(folder + "/boot-*.json")):
	    boot = load(path)
	    sections = {section["id"]: section for section in boot["sections"]}
	    assert set(sections) == {f"mutex-inversion/same-cpu/donor=fifo,owner=nice,section_us={us}"
	                             for us in (4000, 8000, 16000)}, sections.keys()
	    waits = []
	    for us in (4000, 8000, 16000):
	        section = sections[f"mutex-inversion/same-cpu/donor=fifo,owner=nice,section_us={us}"]
	        assert section["outcome"] == "ok", section["reason"]
	        waits.append(next(m["p50"] for m in section["metrics"] if m["name"] == "donor_wait_ns"))
	    print(boot["variant"]["label"], waits)
	    assert waits[2] > waits[1] > waits[0], waits
	seen = [c["section"].rpartition("=")[2] for c in load(folder + "/summary.json")["comparisons"]
	        if c["metric"] == "donor_wait_ns" and c["statistic"] == "p50"]
	assert seen == ["4000", "8000", "16000"], seen
END
expect_nothing_left "a sweep"
finish
