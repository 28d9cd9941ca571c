#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a kernel that checks itself says under stress: builds it, explores seeds on it, runs the
# workloads that exercise the series, and lists every report on every console.
set -euo pipefail

top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
program=${PROXEVAL:-$top/run-bench}
seeds=100
first_seed=1
duration=3
arguments=sched_proxy_exec=1
results=
build=()
only=()
jobs=()
has_workloads=yes

usage() {
	cat <<-END
	Usage: scripts/debug-stress.sh [OPTION…] lockdep|kasan|kcsan

	Builds the kernel with that checker where it is not there yet, boots it once for each seed
	under the stress of 'explore', then under the workloads that exercise the series, all in
	virtual time, and lists the reports of all consoles. Those in kernel-patches/known-faults are the
	base kernel's own. Exit code 1: there are others.
	  --seeds N        so many seeds of the stress [100]
	  --first-seed N   from this one on [1]
	  --duration S     virtual seconds of stress for each seed [3]
	  --series FILE    another series; /dev/null is the base kernel
	  --arguments ARGS the kernel's arguments [sched_proxy_exec=1]
	  --jobs N         guests at a time [one per CPU]
	  --only MECHANISM stress with this mechanism alone; may be repeated
	  --no-workloads   the stress alone
	  --results DIR    keep everything in DIR, which must not have been used before
	The program is \$PROXEVAL, or ./run-bench.
	END
}

while [ $# -gt 1 ]; do
	case $1 in
	--seeds) seeds=$2 && shift ;;
	--first-seed) first_seed=$2 && shift ;;
	--duration) duration=$2 && shift ;;
	--series) build+=(--series "$2") && shift ;;
	--arguments) arguments=$2 && shift ;;
	--jobs) jobs=(--jobs "$2") && shift ;;
	--only) only+=(--only "$2") && shift ;;
	--no-workloads) has_workloads=no ;;
	--results) results=$2 && shift ;;
	*) usage >&2 && exit 3 ;;
	esac
	shift
done
case ${1-} in
-h | --help) usage && exit 0 ;;
lockdep | kcsan) memory=512 ;;
kasan) memory=1024 ;; # its shadow takes an eighth, what was freed is kept in quarantine
*) usage >&2 && exit 3 ;;
esac
readonly checker=$1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
results=${results:-$work}
image=$("$program" kernel build --debug "$checker" ${build[@]+"${build[@]}"})

# From exit code 3 on nothing was tried; what lies below is a verdict, and the consoles have more.
may_go_on() { # CODE
	[ "$1" -le 2 ] || exit "$1"
}

code=0
"$program" explore --no-progress --kernel-image "$image" --variant "proxy::$arguments" \
	--memory "$memory" --seeds "$seeds" --first-seed "$first_seed" --duration "$duration" \
	--shrink-runs 0 --keep-logs --id stress --results "$results" ${jobs[@]+"${jobs[@]}"} \
	${only[@]+"${only[@]}"} || code=$?
may_go_on "$code"
consoles=$results/consoles
mkdir -p "$consoles"
for log in "$results"/stress/logs/*.txt; do
	cp "$log" "$consoles/seed-${log##*/}"
done

# The guest's console has warnings with their stacks by the loglevel.
workload() { # NAME OPTION…
	local name=$1 log
	shift
	code=0
	"$program" run "$name" --no-progress --time=virtual --boots 1 --seed 1 --memory "$memory" \
		--variant "proxy:$image:$arguments loglevel=5" --watchdog 600 \
		--id "$name" --results "$results" "$@" >"$results/$name.txt" || code=$?
	may_go_on "$code"
	for log in "$results/$name"/logs/*.log; do
		cp "$log" "$consoles/$name-${log##*/}"
	done
}

if [ $has_workloads = yes ]; then
	for name in sleeping-owner core-cookie donor-migration lock-chain; do
		workload "$name"
	done
fi
"$program" explore --reports "$consoles"
