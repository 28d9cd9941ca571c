#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The stress of a kernel that checks itself, with a program that boots nothing: every console of the
# search and of the workloads is read, and what they report decides the exit code.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

work=$(mktemp -d /tmp/proxeval-test-XXXXXX)
trap 'rm -rf "$work"' EXIT
export WORK=$work REAL=$PROXEVAL
cat >"$work/program" <<'END'
#!/bin/bash
echo "$*" >>"$WORK/calls"
results='' id='' all="$*"
while [ $# -gt 0 ]; do
	case $1 in --results) results=$2 ;; --id) id=$2 ;; esac
	shift
done
case $all in
*--reports*) exec "$REAL" $all ;;
kernel*) echo /image ;;
explore*) mkdir -p "$results/$id/logs" && cp "$WORK/quiet" "$results/$id/logs/1.txt" ;;
run*) mkdir -p "$results/$id/logs" && cp "$WORK/${CONSOLE:-quiet}" "$results/$id/logs/boot-0000-proxy.log" ;;
esac
END
chmod +x "$work/program"
echo "[    1.000000] Linux version 7.2.13" >"$work/quiet"
cp "$TEST_TOP/tests/fixtures/consoles/kasan.txt" "$work/loud"

stress() { # OPTION…
	code=0
	out=$(PROXEVAL=$work/program "$TEST_TOP/scripts/debug-stress.sh" "$@") || code=$?
}

stress --seeds 1 --results "$work/one" kasan
expect_equal "the exit code of quiet consoles" 0 "$code"
expect_contains "the list" "5 consoles, 0 kinds of report" "$out"
expect_contains "what was called" "kernel build --debug kasan" "$(cat "$work/calls")"
expect_contains "what was called" "--memory 1024 --seeds 1" "$(cat "$work/calls")"
CONSOLE=loud stress --seeds 1 --results "$work/two" kasan
expect_equal "the exit code of a report in a workload" 1 "$code"
expect_contains "the list" "4  BUG: KASAN: slab-use-after-free in bad_init" "$out"
stress magic 2>/dev/null
expect_equal "the exit code of a checker that there is not" 3 "$code"
finish
