#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes kernel-patches/COST.md: what the series costs with nobody waiting, in instructions, against
# the same kernel without it. Counted in virtual time on one CPU: the same kernels give the same
# bytes on every machine.
set -euo pipefail

top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
program=${PROXEVAL:-$top/run-bench}
output=$top/kernel-patches/COST.md
results=
from=
boots=5
more=()

usage() {
	cat <<-END
	Usage: scripts/cost.sh [--boots N] [--output FILE] [--results DIR] [LABEL=SERIES…]

	Builds the base kernel and the one with the series, where they are not there yet, counts
	instructions with 'run wakeup-cost', and writes the table [kernel-patches/COST.md]. About a
	minute on two idle cores, once the kernels are built.
	  --boots N       boots of each kernel in each mode; the table has their median [5]
	  --output FILE   write the table there
	  --results DIR   keep the campaign's folder in DIR
  --from DIR      measure nothing: take the campaign in DIR, whose labels are base-off, base-on, …
	  LABEL=SERIES    a further kernel, with the patches of the series file SERIES
	The program is \$PROXEVAL, or ./run-bench.
	END
}

while [ $# -gt 0 ]; do
	case $1 in
	--boots) boots=${2:?--boots needs a number} && shift ;;
	--output) output=${2:?--output needs a file} && shift ;;
	--from) from=${2:?--from needs a campaign} && shift ;;
	--results) results=${2:?--results needs a folder} && shift ;;
	-h | --help) usage && exit 0 ;;
	[a-zA-Z]*=*) more+=("$1") ;;
	*) usage >&2 && exit 3 ;;
	esac
	shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
labels=()
variants=()

# Two variants of one kernel: how it is built comes behind its label.
add_kernel() { # LABEL [OPTION…]
	local label=$1 image
	shift
	image=$("$program" kernel build "$@")
	labels+=("$label")
	variants+=(--variant "$label-off:$image:sched_proxy_exec=0"
		--variant "$label-on:$image:sched_proxy_exec=1")
}

measure() {
	local code=0 kernel
	add_kernel base --series /dev/null
	add_kernel series
	for kernel in ${more[@]+"${more[@]}"}; do
		add_kernel "${kernel%%=*}" --series "${kernel#*=}"
	done
	"$program" run wakeup-cost --time=virtual --topology 1x1x1 --seed 1 --boots "$boots" --id cost \
		"${variants[@]}" --results "${results:-$work}" >"$work/report" || code=$?
	campaign=${results:-$work}/cost
	# 0, 1 and 2 are verdicts; from 3 on nothing was measured.
	[ "$code" -le 2 ] || {
		cat "$work/report" >&2
		exit "$code"
	}
}

# The labels and the boots of a campaign that was measured before.
take() { # CAMPAIGN
	local label
	campaign=$1
	boots=$(find "$campaign" -name 'boot-*-base-on.json' | wc -l)
	labels=(base)
	for label in $(find "$campaign" -name 'boot-*-on.json' | sed -E 's/.*boot-[0-9]+-(.*)-on[.]json/\1/' | sort -u); do
		[ "$label" = base ] || labels+=("$label")
	done
}

# What was measured under a label, by the boots' own word.
describe() { # LABEL
	local boot
	boot=$(find "$campaign" -name "boot-*-$1-on.json" | sort | head -1)
	printf '%s: Linux %s, image %s' "$1" \
		"$(grep -oE '"release": ?"[^"]*"' "$boot" | head -1 | cut -d'"' -f4)" \
		"$(grep -oE '"image_sha256": ?"[^"]*"' "$boot" | head -1 | cut -d'"' -f4 | cut -c1-12)"
}

if [ -n "$from" ]; then take "$from"; else measure; fi
"$program" export --format=csv "$campaign" >"$work/figures.csv"

# Of each label and metric: the median of the boots (of an even number the lower) and how many are
# just that. A boot that is not ok makes its figure missing, and the table refused.
awk -F, -v boots="$boots" -v kernels="${labels[*]}" '
	function median(key,    n, i, j, t, v) {
		n = count[key]
		for (i = 1; i <= n; i++)
			v[i] = value[key, i]
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
				t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
			}
		same = 0
		for (i = 1; i <= n; i++)
			same += v[i] == v[int((n + 1) / 2)]
		return v[int((n + 1) / 2)]
	}
	function plain(x) {
		x = sprintf("%.2f", x)
		sub(/[.]?0+$/, "", x)
		return x
	}
	function cell(label, metric, against,    figure, text, base) {
		figure = median(label SUBSEP metric)
		text = plain(figure)
		if (same < boots)
			text = text " (" same " of " boots ")"
		if (against == "")
			return text
		base = median(against SUBSEP metric)
		return text sprintf(" (%+.2f %%)", base ? 100 * (figure - base) / base : 0)
	}
	NR == 1 {
		for (i = 1; i <= NF; i++)
			column[$i] = i
		next
	}
	$column["metric"] ~ /_instructions$/ && $column["outcome"] == "ok" && $column["statistic"] == "value" {
		metric = $column["metric"]
		sub(/_instructions$/, "", metric)
		key = $column["variant"] SUBSEP metric
		value[key, ++count[key]] = $column["value"] + 0
		if (!(metric in seen)) {
			seen[metric] = 1
			metrics[++n_metrics] = metric
		}
	}
	END {
		n = split(kernels, kernel, " ")
		head = "| operation"
		line = "|---"
		for (i = 1; i <= n; i++) {
			head = head " | " kernel[i] ", proxy off | " kernel[i] ", proxy on"
			line = line "|---:|---:"
		}
		print head " |"
		print line "|"
		for (m = 1; m <= n_metrics; m++) {
			row = "| `" metrics[m] "`"
			for (i = 1; i <= n; i++)
				for (mode = 0; mode < 2; mode++) {
					label = kernel[i] (mode ? "-on" : "-off")
					if (count[label SUBSEP metrics[m]] != boots) {
						print "cost.sh: of " label " not every boot has " metrics[m] > "/dev/stderr"
						failed = 1
					}
					row = row " | " cell(label, metrics[m], i == 1 ? "" : kernel[1] (mode ? "-on" : "-off"))
				}
			print row " |"
		}
		exit failed || !n_metrics
	}' "$work/figures.csv" >"$work/table" || exit 6

cat >"$work/page" <<END
<!-- Made by scripts/cost.sh: change that, not this. -->
# What the series costs when nobody waits

Instructions per operation, user space included, counted in virtual time by
[wakeup-cost](../doc/workloads/wakeup-cost.md): one CPU, the median batch of a boot, and of that the median of $boots boots.
In brackets is the difference to the first kernel in the same mode; "(3 of 5)" means that so many boots gave just this
figure, and without it all did.

$(cat "$work/table")

The aim is at most 0.1 % with proxy execution off and 0.3 % with it on. \`syscall\` is a control: it neither locks nor wakes.
\`mutex\` is locking and unlocking a free mutex. \`futex_pingpong\` and \`pipe_pingpong\` are round trips: two wakeups and two switches.
\`fork\` is mostly copying page tables, which differ from boot to boot; \`clone\` is the same without.

$(for label in "${labels[@]}"; do
	echo "- $(describe "$label")"
done)

    scripts/cost.sh
END
mv "$work/page" "$output"
