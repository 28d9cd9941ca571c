#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A campaign that stops at the first look that finds all decided, and a kernel against itself.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
# shellcheck source=tests/vm_library.sh
. "$TEST_TOP/tests/vm_library.sh"

# One primary test: the first look is at 5 boots of each, where 2/252 is less than 5/8 of 5 %.
proxeval run "${small[@]}" --until-conclusive --max-boots 8
stopped=$(campaign)
expect_equal "the exit code of the campaign that stops" 0 "$code"
expect_contains "the look" "look 1 of 2 at 5 boots of each variant: 1 of 1 conclusive" "$said"
expect_equal "the boots until it stops" 10 "$(outcomes "$stopped" | grep -c ' ok ')"
expect_equal "what the journal says of it" '{"event":"conclusive","look":1,"boots":5}' \
	"$(grep '"conclusive"' "$stopped/journal.jsonl")"
grep -q "stopped at look 1 of 2" "$stopped/report.txt" || fail "the report does not say why it stopped"

proxeval resume "$stopped" --json
expect_equal "the exit code of resume" 0 "$code"
expect_contains "resume of what has stopped" "complete: 5 boots of each variant were enough" "$said"
expect_equal "the boots after resume" 10 "$(outcomes "$stopped" | wc -l)"

proxeval compare --json "$stopped"
expect_equal "the exit code of compare" 0 "$code"
cmp -s "$work/stdout" "$stopped/summary.json" || fail "compare does not agree with the campaign"

# Killed between the look and the next boot, the look is taken again and comes to the same.
grep -v '"conclusive"' "$stopped/journal.jsonl" >"$work/journal"
cp "$work/journal" "$stopped/journal.jsonl"
proxeval resume "$stopped"
expect_equal "the exit code of resume before the end of a look" 0 "$code"
expect_contains "resume before the end of a look" "1 of 1 conclusive" "$said"
expect_equal "the boots after that look" 10 "$(outcomes "$stopped" | wc -l)"

proxeval calibrate "${small[@]}" --boots 8
calibration=$(campaign)/calibration.json
expect_equal "the exit code of the calibration" 0 "$code"
python3 - "$calibration" <<'END' || fail "calibration.json is not what it should be"
import json, sys
with open(sys.argv[1]) as file:
    found = json.load(file)
assert found["format"] == "proxeval-calibration" and found["boots_ok"] == 8, found
assert found["false_verdicts"]["boots_of_each"] == 4 and found["false_verdicts"]["campaigns"] == 1000, found
assert found["plain"]["tests"] == 1 and len(found["metrics"]) == 1, found
END
if /usr/bin/python3 -c 'from jsonschema import Draft202012Validator' 2>/dev/null; then
	/usr/bin/python3 - "$TEST_TOP/reports/schema/calibration-1.schema.json" "$calibration" <<'END' || fail "calibration.json breaks its schema"
import json, sys
from jsonschema import Draft202012Validator
schema, document = (json.load(open(path)) for path in sys.argv[1:])
Draft202012Validator(schema).validate(document)
END
fi
proxeval calibrate --json --from "$(campaign)"
cmp -s "$work/stdout" "$calibration" || fail "calibrate --from does not find the same"
expect_nothing_left "all of that"
finish
