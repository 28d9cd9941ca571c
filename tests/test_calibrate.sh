#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# calibrate from files, and every mistake on its command line and on that of --until-conclusive.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
fixtures=$TEST_TOP/tests/fixtures/results
work=$(mktemp -d /tmp/proxeval-test-XXXXXX)
trap 'rm -rf "$work"' EXIT
export PROXEVAL_BUILD=$work/build

expect_refusal() { # EXIT-CODE PART-OF-MESSAGE ARGUMENT…
	local expected=$1 part=$2 said code=0
	shift 2
	said=$("$PROXEVAL" "$@" 2>&1 >/dev/null) || code=$?
	expect_equal "the exit code of '$*'" "$expected" "$code"
	expect_contains "'$*'" "$part" "$said"
	expect_equal "the lines that '$*' says" 1 "$(grep -c . <<<"$said")"
	[ -z "$(ls "$work")" ] || fail "'$*' made something: $(ls "$work")"
}

expect_refusal 3 "belongs to --until-conclusive" run --max-boots 9 --results "$work/results"
expect_refusal 3 "not with --boots" run --until-conclusive --boots 9 --results "$work/results"
expect_refusal 3 "does not go with --target=host" run --until-conclusive --target host --results "$work/results"
expect_refusal 3 "needs a second --variant" run --until-conclusive --variant a::x --results "$work/results"
expect_refusal 3 "--max-boots takes a number from 1" run --until-conclusive --max-boots 0 --results "$work/results"
expect_refusal 3 "measures one boot" calibrate --target host --results "$work/results"
expect_refusal 3 "give one --variant" calibrate --variant a::x --variant b::y --results "$work/results"
expect_refusal 3 "is not a workload" calibrate nonsense --results "$work/results"
expect_refusal 3 "see 'proxeval calibrate --help'" calibrate --topology 2x2 --results "$work/results"
expect_refusal 3 "takes no workload" calibrate --from "$fixtures/same" mutex-inversion
expect_refusal 3 "no variant 'nobody'" calibrate --from "$fixtures/same" --variant nobody
expect_refusal 5 "" calibrate --from "$work/nowhere"
expect_refusal 6 "cannot write" calibrate --from "$fixtures/same" --output "$work/no/folder/c.json"

# One set of boots, one answer; written only where it was asked for.
code=0
"$PROXEVAL" calibrate --from "$fixtures/quick-virtual" --variant proxy >"$work/one" || code=$?
expect_equal "the exit code with 6 boots" 2 "$code"
expect_contains "6 boots" "it takes 10 boots at least" "$(tr '\n' ' ' <"$work/one")"
"$PROXEVAL" calibrate --from "$fixtures/quick-virtual" --variant proxy --output "$work/c.json" >"$work/two" 2>/dev/null || :
cmp -s "$work/one" "$work/two" || fail "the same boots give another text"
"$PROXEVAL" calibrate --from "$fixtures/quick-virtual" --variant proxy --json >"$work/three" || :
cmp -s "$work/c.json" "$work/three" || fail "--json is not what --output writes"
[ "$(wc -L <"$work/one")" -le 75 ] || fail "a line has more than 75 columns"

# A plan that spends more than its error rate makes every verdict wrong: it is refused.
cp -r "$fixtures/same" "$work/greedy"
python3 - "$work/greedy/campaign.json" <<'END'
import json, sys
with open(sys.argv[1]) as file:
    campaign = json.load(file)
campaign["sequential"] = {"method": "group-sequential-union-bound", "spending": "linear", "error_rate": 0.05,
                          "tests_expected": 1, "max_boots": 6, "looks": [{"boots": 3, "alpha": 0.03}, {"boots": 6, "alpha": 0.03}]}
with open(sys.argv[1], "w") as file:
    json.dump(campaign, file)
END
code=0
said=$("$PROXEVAL" compare "$work/greedy" 2>&1 >/dev/null) || code=$?
expect_equal "the exit code of a plan that spends too much" 5 "$code"
expect_contains "a plan that spends too much" "more than its error rate" "$said"
finish
