// SPDX-License-Identifier: GPL-2.0-only
/* The running kernel's configuration, plain or gzipped. */
#include "bench/running_config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct running_config *config;
	char value[128];

	fuzz_write("proc/config.gz", data, size_bytes);
	if (running_config_load(&config, fuzz_folder()))
		return 0;
	running_config_value(config, "CONFIG_HZ", value, sizeof(value));
	running_config_value(config, "CONFIG_LOCALVERSION", value, sizeof(value));
	running_config_has(config, "CONFIG_SCHED_PROXY_EXEC");
	running_config_free(config);
	return 0;
}
