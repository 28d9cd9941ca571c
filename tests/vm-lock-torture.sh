#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The lock laboratory in a real kernel, with proxy execution and without: what is wrong is refused,
# who is killed inside leaves nothing locked, and the module goes when nobody uses it.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

[ -f "${image%/*}/proxeval_lab.ko" ] || skip "there is no proxeval_lab.ko beside $image"
proxeval run lock-torture --time=virtual --no-progress --boots 1 --param rounds=30 --param unloads=4 \
	--kernel-image "$image" --results "$work/results" --watchdog 120
# One boot of each is too few for a verdict, and enough to look at.
[ "$code" = 2 ] || [ "$code" = 0 ] || fail "exit code $code: $said"
python3 - "$(campaign)" <<-'END' || fail "the laboratory is not as it should be"
	import glob, json, sys

	sections = 0
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    boot = json.load(open(path))
	    label = boot["variant"]["label"]
	    assert boot["health"]["clean"], (label, boot["health"])
	    for section in boot["sections"]:
	        assert section["outcome"] == "ok", (label, section["reason"], section["facts"])
	        facts, figures = section["facts"], {}
	        for metric in section["metrics"]:
	            if metric["kind"] == "invariant":
	                assert metric["violations"] == 0, (label, metric, facts)
	                assert metric["exposure"] > 0, (label, metric)
	                figures[metric["name"]] = metric["exposure"]
	            else:
	                figures[metric["name"]] = metric["value"]
	        print(label, figures)
	        # 24 calls with a program of their own, 14 kills, and every mistake twenty times.
	        assert figures["wrong_answers"] >= 24 + 16 * 20, label
	        assert figures["wrong_kills"] == 14, label
	        # Open, without its file, and in the end; and four times under one who comes and goes.
	        assert figures["wrong_unloads"] >= 7, label
	        assert facts["unloads_refused"] >= 2, (label, facts)
	        for name in ("completed", "contended", "refused", "timeouts", "interruptions",
	                     "backoffs", "kills", "kills_inside"):
	            assert figures[name] >= 1, (label, name)
	        sections += 1
	assert sections == 2, sections
END
expect_nothing_left "a campaign"
finish
