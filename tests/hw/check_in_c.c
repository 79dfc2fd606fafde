/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of the hardware are plain C11. */
#include "kawara/hw/check.h"
#include "kawara/hw/cost.h"
#include "kawara/hw/fidelity.h"

int check_in_c(const void *commands, size_t bytes, struct kawara_check_fault *fault);

int check_in_c(const void *commands, size_t bytes, struct kawara_check_fault *fault)
{
	const struct kawara_config config = { "k1-mini", 256, 2048, 32, 32, 64, 1000, 100, 800, 10, KAWARA_GLOBAL_FEATURES_LIMIT };
	const struct kawara_check_limits limits = { .features = 1, .sram_bytes = 2 << 20, .config = &config, .segment_cycles_max = 1 << 28 };

	return kawara_check(commands, bytes, NULL, 0, &limits, NULL, fault);
}
