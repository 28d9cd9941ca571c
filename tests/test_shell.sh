#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Shellcheck has nothing to say about any shell script.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

need_program shellcheck
cd "$TEST_TOP"
mapfile -t scripts < <(source_files -name '*.sh' -o -name '*.bash')
shellcheck -x run-bench run-tests .ci/run "${scripts[@]}" || fail "mend what shellcheck found"
finish
