/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel shares is plain C11: a packet, a mapping and a verdict made there. */
#include "kawara/hw/page_table.h"
#include "kawara/hw/recovery.h"
#include "kawara/hw/ring.h"

struct kawara_packet run_made_in_c(kawara_u64 commands, struct kawara_packet_fault *fault);
kawara_u64 walk_made_in_c(kawara_u64 va, kawara_u64 target);
enum kawara_verdict verdict_made_in_c(kawara_u32 state, kawara_u64 still_ms);

struct kawara_packet run_made_in_c(kawara_u64 commands, struct kawara_packet_fault *fault)
{
	const struct kawara_run_packet run = { .context = 7, .command_bytes = 32, .region_count = 2, .commands = commands, .tag = 9 };
	struct kawara_packet packet;

	*fault = kawara_pack_run(&packet, &run);
	return packet;
}

/* Tables at bus addresses 0x1000, 0x2000 and 0x3000. */
struct three_tables {
	kawara_u64 entry[3][KAWARA_TABLE_ENTRIES];
	unsigned int used;
};

static kawara_u64 *entries_of(void *context, kawara_u64 table)
{
	struct three_tables *tables = context;

	return tables->entry[table / KAWARA_PAGE_BYTES - 1];
}

static int add_table(void *context, kawara_u64 *table)
{
	struct three_tables *tables = context;

	if (tables->used == 3)
		return 0;
	*table = ++tables->used * KAWARA_PAGE_BYTES;
	return 1;
}

static int read_entry(void *context, kawara_u64 bus, kawara_u64 *entry)
{
	*entry = entries_of(context, bus & KAWARA_PTE_ADDRESS)[bus % KAWARA_PAGE_BYTES / sizeof(kawara_u64)];
	return 1;
}

kawara_u64 walk_made_in_c(kawara_u64 va, kawara_u64 target)
{
	struct three_tables tables = { .used = 1 };
	struct kawara_page_table table = { .entries = entries_of, .add_table = add_table, .context = &tables, .root = KAWARA_PAGE_BYTES };
	struct kawara_walker walker = { .read = read_entry, .context = &tables, .root = KAWARA_PAGE_BYTES };

	if (kawara_map(&table, va & ~(KAWARA_PAGE_BYTES - 1), target, KAWARA_PAGE_BYTES, KAWARA_PTE_READ) != KAWARA_MAP_OK)
		return 0;
	return kawara_walk(&walker, va, 0).address;
}

enum kawara_verdict verdict_made_in_c(kawara_u32 state, kawara_u64 still_ms)
{
	const struct kawara_evidence seen = { .state = state, .still_ms = still_ms, .timeout_ms = 60000 };

	return kawara_judge(&seen);
}
