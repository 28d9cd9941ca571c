#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every mistake on the command line of explore is one sentence with the right exit code, said before
# anything is built, booted or written.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

work=$(mktemp -d /tmp/proxeval-test-XXXXXX)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_BUILD=$work/build

expect_refusal() { # EXIT-CODE PART-OF-MESSAGE OPTION…
	local expected=$1 part=$2 said code=0
	shift 2
	said=$("$PROXEVAL" explore "$@" --results "$work/results" 2>&1 >/dev/null) || code=$?
	expect_equal "the exit code of '$*'" "$expected" "$code"
	expect_contains "'$*'" "$part" "$said"
	expect_equal "the lines that '$*' says" 1 "$(grep -c . <<<"$said")"
	[ ! -e "$work/results" ] || fail "'$*' made something"
}

expect_refusal 3 "'nonsense' is not a mechanism" --only nonsense
expect_refusal 3 "give one --variant, not 2" --variant a::x --variant b::y
expect_refusal 3 "LABEL:IMAGE:ARGS" --variant proxy
expect_refusal 3 "belong to --replay" --gdb
expect_refusal 3 "belong to --replay" --before 5
expect_refusal 3 "are different things" --replay x --resume y
expect_refusal 3 "are different things" --reports x --shrink y
expect_refusal 3 "leave --json out" --reports x --json
expect_refusal 5 "cannot read the folder of consoles" --reports "$work/absent"
expect_refusal 3 "belong to a new exploration" --resume x --seeds 5
expect_refusal 3 "belong to a new exploration" --replay x --only tee
expect_refusal 3 "belong to a new exploration" --resume x --rounds 5
expect_refusal 3 "--rounds takes a number from 1" --rounds 0
expect_refusal 5 "cannot read the known faults" --known "$work/absent"
expect_refusal 3 "go beyond the last" --first-seed 4294967295 --seeds 2
expect_refusal 3 "--seeds takes a number from 1" --seeds 0
expect_refusal 3 "--duration takes a number from 1" --duration 0
expect_refusal 3 "2x2x2" --topology 2x2
expect_refusal 3 "takes no 'operand'" operand
expect_refusal 5 "cannot open the kernel image" --kernel-image "$work/absent"
expect_refusal 5 "is not a kernel image" --kernel-image "$PROXEVAL"
expect_refusal 5 "give the folder of an exploration" --resume "$work/absent"
expect_refusal 5 "give the folder of a find" --replay "$work/absent"
expect_refusal 5 "--shrink takes the folder of a find" --shrink "$work/absent"

# All reports of the consoles in a folder; those that are known are told apart.
list_reports() { # OPTION…
	code=0
	out=$("$PROXEVAL" explore --reports "$TEST_TOP/tests/fixtures/consoles" "$@") || code=$?
}
list_reports
expect_equal "the exit code of reports that nobody knows" 1 "$code"
expect_contains "the list of reports" "3 consoles, 8 kinds of report, 8 of them not known" "$out"
expect_contains "the list of reports" "     1  BUG: KASAN: slab-use-after-free in bad_init [bad]" "$out"
printf '# why\n\nreport - [ BUG: Invalid wait\nreport - WARNING: of another kind\n' >"$work/known"
list_reports --known "$work/known"
expect_equal "the exit code of reports that are not all known" 1 "$code"
expect_contains "the list of reports" "8 kinds of report, 7 of them not known" "$out"
expect_contains "the list of reports" "     1  known: [ BUG: Invalid wait context ]" "$out"
sed -nE 's/^ +[0-9]+  (known: )?/report - /p' <<<"$out" >"$work/known"
list_reports --known "$work/known"
expect_equal "the exit code of reports that are all known" 0 "$code"
mkdir "$work/empty"
expect_refusal 5 "has no console" --reports "$work/empty"

# A find's folder that somebody changed.
"$(dirname "$PROXEVAL")/tests/make_find" "$work/made"
fixture=$work/made/finds/0001
cp -r "$fixture" "$work/find"
rm "$work/find/guest"
expect_refusal 5 "cannot read the find's" --replay "$work/find"
cp "$fixture/guest" "$work/find/guest"
for change in 's/"seed"/"sead"/' 's/"version": *1/"version":2/' 's/proxeval-find/proxeval-plan/' \
	'1s/{/{"extra": 1,/' 's/"kernel": *"[^"]*",//'; do
	sed "$change" "$fixture/find.json" >"$work/find/find.json"
	expect_refusal 5 "find.json: " --replay "$work/find"
done
cp "$fixture/find.json" "$work/find/find.json"
sed 's/"rounds"/"round"/' "$fixture/plan.json" >"$work/find/plan.json"
expect_refusal 5 'plan.json: "rounds" is not' --replay "$work/find"
cp "$fixture/plan.json" "$work/find/plan.json"
echo other >"$work/find/kernel"
expect_refusal 5 "is not the kernel that the find was made with" --replay "$work/find"
echo other >"$work/find/guest"
expect_refusal 5 "is not what the find was made with" --replay "$work/find"

# An exploration's kernel is what it began with, or it does not go on.
echo other >"$work/made/kernel"
expect_refusal 5 "is not what this exploration began with" --resume "$work/made"
finish
