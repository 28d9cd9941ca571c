#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The documents against the shipped schemas, by the distribution's validator.
set -eu

# Debian's own Python has python3-jsonschema, whatever comes first in PATH.
for python in /usr/bin/python3 python3; do
	if "$python" -c 'from jsonschema import Draft202012Validator' 2>/dev/null; then
		exec "$python" "$TEST_TOP/tests/validate_schemas.py"
	fi
done
echo "skipped: python3-jsonschema (4.0 or later) is not installed"
exit 77
