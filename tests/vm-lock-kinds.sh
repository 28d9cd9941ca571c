#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The matrix of lock-kinds is what the kernel's source says: behind each of the six mutexes a waiter
# lends with proxy execution on, and waits no longer than the owner still needs; behind the others,
# and with it off, it does not.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

proxeval run lock-kinds --profile standard --time=virtual --no-progress --placement same-cpu --boots 1 \
	--param samples=1 --param control_samples=1 --kernel-image "$image" \
	--results "$work/results" --watchdog 120
expect_equal "the exit code" 2 "$code"
python3 - "$(campaign)" <<-'END' || fail "the matrix is not what the source says"
	import glob, json, sys
	MUTEXES = {"f_pos", "rename", "pipe", "unix", "epoll", "seq_file"}
	OTHERS = {"rwsem", "pi-futex", "plain-futex"}
	for path in sorted(glob.glob(sys.argv[1] + "/boot-*.json")):
	    with open(path) as file:
	        boot = json.load(file)
	    label = boot["variant"]["label"]
	    assert boot["health"]["clean"], (label, boot["health"])
	    matrix = {}
	    for section in boot["sections"]:
	        kind = section["params"]["kind"]
	        name = (label, kind)
	        assert section["outcome"] == "ok", (name, section["reason"])
	        metrics = {metric["name"]: metric for metric in section["metrics"]}
	        evidence = {item["name"]: item for item in section["evidence"]}
	        matrix[kind] = metrics["lending_share"]["value"]
	        factor = metrics["inversion_factor"]["value"]
	        stray = metrics["stray_lending"]
	        may_lend = label == "proxy" and kind in MUTEXES
	        print(*name, "lends" if matrix[kind] else "does not lend", "factor", factor)
	        assert matrix[kind] == (1 if may_lend else 0), name
	        assert stray["violations"] == 0, name
	        assert stray["exposure"] == (0 if may_lend else 1), name
	        assert evidence["donor_blocked"]["observed"] == 1, name
	        if may_lend or kind == "pi-futex":
	            assert factor <= 1.5, (name, factor)
	        else:
	            assert factor >= 4.9, (name, factor)
	        if kind != "pi-futex":
	            assert evidence["donor_watched"]["observed"] == 1, name
	    assert set(matrix) == MUTEXES | OTHERS, (label, sorted(matrix))
END
expect_nothing_left "a campaign"
finish
