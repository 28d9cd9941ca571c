#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One row of the proof for real: the series without K3 is built, and on it an owner executes beside
# another cookie; the whole series never lets it. What was done is kept, and not done again.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
kernels=${PROXEVAL_BUILD-}
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"
# The kernels that are built already: this row takes one file of another.
if [ -n "$kernels" ]; then export PROXEVAL_BUILD=$kernels; else unset PROXEVAL_BUILD; fi
"$PROXEVAL" kernel build --no-progress --without K3 >"$work/image" 2>"$work/log" || {
	[ $? -ne 4 ] || skip "no kernel can be built here: $(tail -n 1 "$work/log")"
	fail "the series without K3 does not build: $(cat "$work/log")"
	finish
}

proxeval run --profile proof K3 --boots 1 --no-progress --results "$work/results" --id proof --watchdog 240
expect_equal "the exit code" 0 "$code"
python3 - "$work/results/proof/proof.json" "$TEST_TOP/reports/schema/proof-1.schema.json" <<-'END' || fail "the proof is not what it has to be"
	import json, sys
	document, schema = (json.load(open(name)) for name in sys.argv[1:])
	try:
	    import jsonschema
	    jsonschema.Draft202012Validator(schema).validate(document)
	except ImportError:
	    pass
	rows = {row["tag"]: row for row in document["rows"]}
	print({tag: (row["verdict"], row["reason"]) for tag, row in rows.items()})
	assert document["is_complete"] and list(rows) == ["K3"]
	assert rows["K3"]["verdict"] == "shown"
	[step] = rows["K3"]["steps"]
	assert step["image_full"] != step["image_without"]
	figures = {figure["metric"]: figure for figure in step["figures"]}
	[full], [without] = (figures["cookie_violations"][side] for side in ("full", "without"))
	assert full == 0 and without > 0, (full, without)
	[full], [without] = (figures["cookie_overlap_longest_ns"][side] for side in ("full", "without"))
	assert full <= 500000 < without, (full, without)
END
grep -q '^| K3 | .* | \*\*shown\*\* | ' "$work/results/proof/proof.md" || fail "the page has no line of K3"
expect_contains "what it prints" "proof: 1 shown, 0 argued, 0 not-shown, 0 not-clean, 0 broken" "$(cat "$work/stdout")"

# A row that was done is not done again: its campaign stays where it is.
before=$(stat -c %i "$work/results/proof/K3-1/campaign/campaign.json")
python3 - "$work/results/proof/proof.json" <<-'END'
	import json, sys
	document = json.load(open(sys.argv[1]))
	document["is_complete"] = False
	json.dump(document, open(sys.argv[1], "w"))
END
proxeval resume "$work/results/proof" --no-progress
expect_equal "the exit code of a proof that goes on" 0 "$code"
expect_contains "a proof that goes on" "proof: 1 shown, 0 argued" "$(cat "$work/stdout")"
expect_equal "the campaign of a row that was done" "$before" "$(stat -c %i "$work/results/proof/K3-1/campaign/campaign.json")"
finish
