#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every C file is as clang-format leaves it. Its output differs between releases: 14 is ours.
set -euo pipefail
# shellcheck source=tests/library.sh
. "$TEST_TOP/tests/library.sh"

need_program clang-format
version=$(clang-format --version | sed -E 's/.*version ([0-9]+).*/\1/')
[ "$version" = 14 ] || skip "clang-format here is release $version; the sources follow 14"
cd "$TEST_TOP"
source_files -name '*.[ch]' | xargs clang-format --dry-run -Werror ||
	fail "run clang-format -i on the files above"
finish
