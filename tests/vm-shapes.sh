#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests of other shapes than the standard one: one CPU, no SMT, no second node, eight nodes, 64
# CPUs. Each has the placements that its topology has and no more, its nodes' distances are in
# the result, and the threads' memory is where they run.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

# Boots the patched kernel once in that shape, and expects these placements, and distances from
# node 0.
check_shape() { # TOPOLOGY PLACEMENTS DISTANCES [OPTION…]
	local shape=$1 placements=$2 distances=$3
	shift 3
	rm -rf "$work/results"
	proxeval run mutex-inversion --time=virtual --no-progress --boots 1 --topology "$shape" \
		--variant "proxy:$image:sched_proxy_exec=1" --param samples=1 \
		--param control_samples=1 --results "$work/results" --watchdog 240 "$@"
	# One variant alone is compared with nothing: that is not "fine".
	expect_equal "the exit code of $shape" 2 "$code"
	python3 - "$(campaign)/boot-0000-proxy.json" "$shape" "$placements" "$distances" <<-'END' ||
		import json, sys
		path, shape, placements, distances = sys.argv[1:]
		with open(path) as file:
		    boot = json.load(file)
		sizes = [int(part) for part in shape.split("x")]
		topology = boot["environment"]["topology"]
		cpus = sizes[0] * sizes[1] * sizes[2]
		assert (topology["nodes"], topology["cores"], topology["cpus"]) == (
		    sizes[0], sizes[0] * sizes[1], cpus), topology
		seen = topology["distances"][0] if topology["distances"] else [10]
		assert " ".join(map(str, seen)) == distances, topology["distances"]
		assert boot["health"]["clean"], boot["health"]
		names = []
		for section in boot["sections"]:
		    assert section["outcome"] == "ok", (section["id"], section["reason"])
		    place = section["placement"]
		    names.append(place["name"])
		    facts = section["facts"]
		    evidence = {item["name"]: item for item in section["evidence"]}
		    assert evidence["memory_on_node"]["held"], evidence["memory_on_node"]
		    assert facts["owner_memory_node"] == place["owner_node"], (facts, place)
		    assert facts["donor_memory_node"] == place["donor_node"], (facts, place)
		    assert 0 <= place["owner_cpu"] < cpus and 0 <= place["donor_cpu"] < cpus, place
		    metrics = {metric["name"]: metric for metric in section["metrics"]}
		    assert metrics["inversion_factor"]["value"] < 1.5, section["id"]
		assert " ".join(sorted(names)) == placements, names
	END
		fail "a guest of $shape is not what it has to be"
}

check_shape 1x1x1 "same-cpu" "10"
check_shape 1x2x1 "same-cpu same-llc" "10"
check_shape 1x1x2 "same-cpu smt-sibling" "10"
check_shape 8x1x1 "cross-node-20 cross-node-50" "10 20 30 40 50 40 30 20" \
	--placement cross-node-20 --placement cross-node-50
check_shape 8x4x2 "cross-node-40" "10 20 30 40 50 40 30 20" --placement cross-node-40
expect_nothing_left "the last guest"
finish
