// SPDX-License-Identifier: GPL-2.0-only
/* Files of /proc and /sys (separated by a byte 0xff) that tell what machine this is. */
#include <json-c/json.h>
#include <stdlib.h>

#include "bench/environment.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static const char *const files[] = {
		"proc/cpuinfo",
		"proc/cmdline",
		"proc/meminfo",
		"proc/stat",
		"proc/loadavg",
		"proc/swaps",
		"proc/sys/kernel/osrelease",
		"proc/sys/kernel/hostname",
		"proc/sys/kernel/tainted",
		"sys/devices/system/cpu/online",
		"sys/devices/system/cpu/vulnerabilities/meltdown",
		"sys/devices/system/clocksource/clocksource0/current_clocksource",
		"dev/kmsg",
	};
	bool is_on;
	char *text = fuzz_text(data, size_bytes);

	proxy_exec_from_command_line(text, &is_on);
	free(text);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const uint8_t *part;
		size_t length = fuzz_part(&data, &size_bytes, &part);

		fuzz_write(files[i], part, length);
	}
	json_object_put(environment_to_json_at(fuzz_folder()));
	return 0;
}
