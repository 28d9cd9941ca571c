#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run --campaign and --print-campaign: what is printed is read again as the same, the command line
# comes first, and every mistake in a file is one sentence with its line.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
files=$TEST_TOP/tests/fixtures/campaign-files

# Printed, read and printed again: no letter differs, and nothing was said or made.
expect_round_trip() { # ARGUMENT…
	"$PROXEVAL" run "$@" --print-campaign >"$work/first.json" 2>"$work/said" || fail "'run $*' exits with $?"
	"$PROXEVAL" run --campaign "$work/first.json" --print-campaign >"$work/second.json" 2>"$work/said" ||
		fail "what 'run $*' prints is refused: $(cat "$work/said")"
	[ ! -s "$work/said" ] || fail "the round trip of 'run $*' says: $(cat "$work/said")"
	cmp "$work/first.json" "$work/second.json" || fail "the round trip of 'run $*' changes the file"
	[ ! -e "$work/results" ] || fail "'run $* --print-campaign' made a folder"
}

test_round_trips() {
	local file profile
	expect_round_trip --target vm
	for profile in quick standard thorough soak; do
		expect_round_trip --target vm --profile "$profile"
	done
	expect_round_trip --target host --time real
	expect_round_trip sleeping-owner mutex-inversion --quick --sweep section_us=2000..8000x2 \
		--sweep mutex-inversion.hogs=1..3 --param sleeping-owner.sleep_us=0x8000 --placement same-cpu \
		--placement cross-node-20 --seed 12 --boots 3 --topology 4x1x4x2 --memory 700
	expect_round_trip --time real --until-conclusive --max-boots 30 --json --no-progress
	expect_round_trip --variant 'a:b/bzImage:c=d:e f' --variant b::quiet --id some.name --watchdog 7 --results elsewhere
	expect_round_trip --kernel-tree /some/tree --series other/series
	for file in "$files"/*.json; do
		expect_round_trip --campaign "$file"
	done
}

# The seed of a run in real time is drawn anew each time, unless it was given.
test_seed() {
	"$PROXEVAL" run --time real --target vm --print-campaign | grep -q '"seed"' && fail "a drawn seed is printed"
	"$PROXEVAL" run --time real --target vm --seed 5 --print-campaign | grep -q '"seed":5' ||
		fail "a seed that was given is not printed"
}

test_command_line_comes_first() {
	local said
	said=$("$PROXEVAL" run --campaign "$files/every-member.json" --quick --sweep hogs=5,6 --max-boots 14 \
		mutex-inversion --print-campaign 2>&1 >"$work/printed.json")
	expect_equal "what is said of it" \
		"proxeval: the command line comes before $files/every-member.json in: --max-boots, --profile, --sweep, workloads" \
		"$said"
	python3 - "$work/printed.json" <<-'END' || fail "the printed file is not what both say together"
		import json, sys
		printed = json.load(open(sys.argv[1]))
		assert printed["max-boots"] == 14 and printed["profile"] == "quick" and printed["seed"] == 7
		item, = printed["workload"]
		assert item["workload"] == "mutex-inversion" and item["placement"] == ["all"], item
		assert item["sweep"] == {"owner": ["nice", "cgroup"], "hogs": [5, 6]}, item
		assert item["param"] == {"samples": 4, "donor": "deadline", "section_us": 8000}, item
	END
}

expect_refusal() { # LINE PART TEXT
	local code=0 said
	printf '{"format": "proxeval-campaign-file", "version": 1,\n%s}' "$3" >"$work/bad.json"
	said=$("$PROXEVAL" run --campaign bad.json --target vm 2>&1 >/dev/null) || code=$?
	expect_equal "the exit code of $3" 5 "$code"
	expect_contains "$3" "error: bad.json, line $1: " "$said"
	expect_contains "$3" "$2" "$said"
	expect_equal "the lines that $3 says" 1 "$(grep -c . <<<"$said")"
	[ ! -e "$work/results" ] || fail "$3 made a folder"
}

test_refusals() {
	expect_refusal 2 '"boot" is no member of a campaign file; there are format, version, workload, target,' '"boot": 3'
	expect_refusal 3 'the key "boots" appears twice' '"boots": 3,
		"boots": 4'
	expect_refusal 3 'it is not JSON: a key is needed' '"boots": 3,
'
	expect_refusal 2 '"quick" is no member' '"quick": true'
	expect_refusal 2 '"no-install" is no member' '"no-install": true'
	expect_refusal 2 '"campaign" is no member' '"campaign": "x"'
	expect_refusal 2 '"boots" takes a whole number, not a text' '"boots": "3"'
	expect_refusal 2 '"boots" takes a whole number from 1 to 1000, not 0' '"boots": 0'
	expect_refusal 2 '"boots" takes a whole number from 1 to 1000, not 1.5' '"boots": 1.5'
	expect_refusal 2 '"boots" takes a whole number from 1 to 1000, not -1' '"boots": -1'
	expect_refusal 2 'from 1 to 1000, not 99999999999999999999' '"boots": 99999999999999999999'
	expect_refusal 2 '"time" is one of: real, virtual; not' '"time": "sidereal"'
	expect_refusal 2 '"json" takes true or false, not null' '"json": null'
	expect_refusal 2 '"topology" takes text, not a list' '"topology": []'
	expect_refusal 2 '"results" holds a NUL' '"results": "a\u0000b"'
	expect_refusal 2 '"variant" takes a list' '"variant": "a::"'
	expect_refusal 2 '"variant" takes a list' '"variant": []'
	expect_refusal 2 '"placement" takes a list' '"placement": []'
	expect_refusal 3 "'next-door' is not a placement" '"placement": ["same-cpu",
		"next-door"]'
	expect_refusal 2 "both ask for the same placement" '"placement": ["all", "same-cpu"]'
	expect_refusal 2 'not 1.5' '"param": {"samples": 1.5}'
	expect_refusal 2 'samples is a number from 1 to' '"param": {"samples": 0}'
	expect_refusal 3 "names no parameter" '"param": {"hogs": 2,
		"dogs": 2}'
	expect_refusal 2 "2 comes twice" '"sweep": {"hogs": [1, 2, 2]}'
	expect_refusal 2 "empty list" '"sweep": {"hogs": []}'
	expect_refusal 2 "is no range" '"sweep": {"hogs": "1..4*2"}'
	expect_refusal 2 "is set as well, by bad.json, line 3" '"sweep": {"hogs": [1, 2]},
		"param": {"hogs": 2}'
	expect_refusal 2 "how much is measured" '"sweep": {"samples": [1, 2]}'
	expect_refusal 2 "'nonsense' is not a workload" '"workload": ["nonsense"]'
	expect_refusal 2 "is named twice" '"workload": ["mutex-inversion", "mutex-inversion"]'
	expect_refusal 3 "does not name its" '"workload": ["mutex-inversion",
		{"param": {}}]'
	expect_refusal 3 'has no member "params"' '"workload": [{"workload": "mutex-inversion",
		"params": {}}]'
	expect_refusal 3 "mutex-inversion has no parameter 'sleep_us'" '"workload": [{"workload": "mutex-inversion",
		"param": {"sleep_us": 9}}]'
	expect_refusal 2 "takes names and objects, not a number" '"workload": [7]'
}

expect_whole_refusal() { # PART TEXT
	local code=0 said
	printf '%s' "$2" >"$work/bad.json"
	said=$("$PROXEVAL" run --campaign bad.json 2>&1 >/dev/null) || code=$?
	expect_equal "the exit code of '$2'" 5 "$code"
	expect_contains "'$2'" "$1" "$said"
}

test_no_campaign_file() {
	expect_whole_refusal "line 1: it is cut short" ''
	expect_whole_refusal "an object, not a list" '[]'
	expect_whole_refusal "its \"format\" must be" '{"format": "proxeval-campaign"}'
	expect_whole_refusal "its \"version\" must be 1" '{"format": "proxeval-campaign-file"}'
	expect_whole_refusal "line 2: its \"version\" must be 1" '{"format": "proxeval-campaign-file",
		"version": 2}'
	rm "$work/bad.json"
	expect_contains "an absent file" "cannot read the campaign file bad.json: No such file" \
		"$("$PROXEVAL" run --campaign bad.json 2>&1 || true)"
	expect_contains "a folder" "cannot read the campaign file" "$("$PROXEVAL" run --campaign . 2>&1 || true)"
}

test_round_trips
test_seed
test_command_line_comes_first
test_refusals
test_no_campaign_file
finish
