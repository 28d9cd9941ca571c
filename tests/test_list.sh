#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# proxeval list: text and JSON of this machine and of recorded ones, and what it says to bad input.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
need_program python3
topologies=$TEST_TOP/tests/fixtures/topologies
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A validator that is not ours.
validate() { # DOCUMENT
	python3 - "$TEST_TOP/reports/schema/list-1.schema.json" "$1" <<'END'
import json, sys
import jsonschema
schema, document = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema).validate(document)
END
}

test_every_recorded_machine() {
	local file
	for file in "$topologies"/*.xml; do
		"$PROXEVAL" list --json --topology "$file" >"$work/list.json" ||
			fail "list --topology $file exits with $?"
		validate "$work/list.json" || fail "list --json of $file does not follow its schema"
	done
}

test_this_machine() {
	"$PROXEVAL" list --json >"$work/list.json" || fail "list --json exits with $?"
	validate "$work/list.json" || fail "list --json does not follow its schema"
	expect_contains "the list" "owner on CPU" "$("$PROXEVAL" list)"
}

# The placements of the default guest, to the letter.
test_text() {
	local text expected
	text=$("$PROXEVAL" list --topology "$topologies/guest-2x2x2.xml" | sed -n '/^Placements/,$p')
	expected="Placements in $topologies/guest-2x2x2.xml (CPUs: 8, NUMA nodes: 2):
  same-cpu       owner on CPU 4, donor on CPU 4, observed from CPU 2
  smt-sibling    owner on CPU 4, donor on CPU 5, observed from CPU 2
  same-llc       owner on CPU 4, donor on CPU 6, observed from CPU 2
  cross-node-20  owner on CPU 4, donor on CPU 2, observed from CPU 6; nodes 1 and 0, distance 20
  CPU 0 is left to the runner."
	expect_equal "the list of placements" "$expected" "$text"
	text=$("$PROXEVAL" list --topology "$topologies/single-cpu.xml")
	expect_contains "the list for one CPU" "donor on CPU 0, no CPU left to observe from" "$text"
}

# Every parameter and metric of the JSON stands in the text as well.
test_both_say_the_same() {
	local name text
	text=$("$PROXEVAL" list)
	for name in $("$PROXEVAL" list --json | python3 -c '
import json, sys
for workload in json.load(sys.stdin)["workloads"]:
    print(*(thing["name"] for thing in workload["parameters"] + workload["metrics"]))'); do
		expect_contains "the list" "    $name: " "$text"
	done
}

expect_refusal() { # CODE PART ARGUMENT…
	local code=$1 part=$2 found=0 text
	shift 2
	text=$("$PROXEVAL" list "$@" 2>&1) || found=$?
	expect_equal "the exit code of 'list $*'" "$code" "$found"
	expect_contains "'list $*'" "$part" "$text"
}

test_bad_input() {
	expect_refusal 5 "No such file" --topology "$work/none.xml"
	expect_refusal 5 "is not an hwloc XML topology" --topology "$TEST_TOP/README.md"
	: >"$work/empty.xml"
	expect_refusal 5 "is not an hwloc XML topology" --topology "$work/empty.xml"
	head -c 900 "$topologies/cxl.xml" >"$work/cut.xml"
	# hwloc 2.9 leaks what it had built when a file ends in the middle: not ours to find.
	ASAN_OPTIONS=detect_leaks=0 expect_refusal 5 "is not an hwloc XML topology" --topology "$work/cut.xml"
	expect_refusal 5 "" --topology "$work"
	expect_refusal 3 "takes no 'mutex'" mutex
}

test_every_recorded_machine
test_this_machine
test_text
test_both_say_the_same
test_bad_input
finish
