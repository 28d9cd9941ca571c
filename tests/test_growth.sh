#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Sections that differ in one number are a curve in the reports, by number and not by letter; others
# are none.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"
need_program python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The placements of a recorded campaign become points: of same-cpu, at each of the values.
make_sweep() { # FOLDER VALUE…
	python3 - "$TEST_TOP/tests/fixtures/results/quick-virtual" "$@" <<-'END'
	import glob, json, os, sys
	source, folder, *values = sys.argv[1:]
	os.mkdir(folder)
	for path in glob.glob(source + "/*.json"):
	    with open(path) as file:
	        document = json.load(file)
	    if "sections" in document:
	        points = {section["placement"]["name"]: section for section in document["sections"]}
	        place = points["same-cpu"]["placement"]
	        sections = []
	        for value, (name, section) in zip(values, sorted(points.items())):
	            section["placement"] = place
	            section["params"]["section_us"] = value
	            section["id"] = f"mutex-inversion/same-cpu/donor=fifo,owner=nice,section_us={value}"
	            sections.append(section)
	        document["sections"] = sections
	    with open(os.path.join(folder, os.path.basename(path)), "w") as file:
	        json.dump(document, file)
	END
}

# The first column of the rows under the curve's head.
points_of() { # REPORT
	awk '/^section_us / { on = 1; next } !NF { on = 0 } on { printf "%s ", $1 }' "$1"
}

make_sweep "$work/four" 8000 16000 2000 400
"$PROXEVAL" compare "$work/four" >"$work/four.txt" || true
expect_contains "the report" "donor wait over section_us: mutex-inversion, same-cpu (median)" "$(cat "$work/four.txt")"
expect_equal "the points of the curve" "400 2000 8000 16000 " "$(points_of "$work/four.txt")"
expect_contains "the first point, of itself" "1.00" "$(grep '^400 ' "$work/four.txt")"
expect_equal "the widest line, in columns" "" "$(awk 'length > 75' "$work/four.txt")"
expect_equal "sections in the order of their values" "400 2000 8000 16000 " "$("$PROXEVAL" compare --json "$work/four" |
	python3 -c 'import json, sys
for c in json.load(sys.stdin)["comparisons"]:
    if c["metric"] == "donor_wait_ns" and c["statistic"] == "p50":
        print(c["section"].rpartition("=")[2], end=" ")')"
(cd "$work" && "$PROXEVAL" report four >"$work/said" 2>&1) || true
expect_contains "report.md" "| section_us |" "$(cat "$work/four/report.md")"
expect_equal "the curve's rows in report.md" 4 "$(sed -n '/^## Growth/,/^## Controls/p' "$work/four/report.md" | grep -cE '^\| [0-9]+ \|')"

# The ratio of a point's growth is that of its figures.
python3 - "$work/four.txt" <<'END' || fail "the growth is not that of the figures"
import re, sys
rows, on = [], False
for line in open(sys.argv[1]):
    if on and not line.strip():
        break
    if on:
        rows.append([float(number) for number in re.findall(r"[0-9.]+", line)])
    on = on or line.startswith("section_us ")
for row in rows:
    for figure, growth in ((1, 4), (2, 5)):
        expected = row[figure] / rows[0][figure]
        assert abs(row[growth] - expected) <= 0.02 * expected, (row, expected)
END

# Two are a pair, one is none, and placements alone are no numbers.
make_sweep "$work/two" 8000 16000
for folder in "$work/two" "$TEST_TOP/tests/fixtures/results/quick-virtual"; do
	"$PROXEVAL" compare "$folder" >"$work/none.txt" || true
	! grep -qE " over [a-z_]+: " "$work/none.txt" || fail "a curve is made of $folder: $(grep " over " "$work/none.txt")"
done
finish
