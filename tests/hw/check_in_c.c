/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of the hardware are plain C11. */
#include "kawara/hw/check.h"

int check_in_c(const void *commands, size_t bytes, struct kawara_check_fault *fault);

int check_in_c(const void *commands, size_t bytes, struct kawara_check_fault *fault)
{
	const struct kawara_check_limits limits = { .features = 1, .sram_bytes = 2 << 20 };

	return kawara_check(commands, bytes, NULL, 0, &limits, NULL, fault);
}
