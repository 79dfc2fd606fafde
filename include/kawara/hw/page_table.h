/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Page tables, for both sides: the chip walks them, a driver maps and unmaps. Three levels of 512 entries below 39 bits of
 * virtual address; level 2 is the root, leaves stand at level 0 (4 KiB) and level 1 (2 MiB). Tables are host pages, named by
 * their bus addresses.
 */
#ifndef KAWARA_PAGE_TABLE_H
#define KAWARA_PAGE_TABLE_H

#include "hw.h"
#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/compiler.h>
#endif

#define KAWARA_TABLE_ENTRIES 512u
#define KAWARA_TABLE_ROOT_LEVEL 2u
#define KAWARA_VA_END (1ull << KAWARA_VA_BITS)
#define KAWARA_PTE_ACCESS (KAWARA_PTE_LOCAL | KAWARA_PTE_READ | KAWARA_PTE_WRITE) /* of leaves only */
#define KAWARA_PTE_NAMED (KAWARA_PTE_VALID | KAWARA_PTE_LEAF | KAWARA_PTE_ACCESS | KAWARA_PTE_ADDRESS)

static inline unsigned int kawara_table_index(kawara_u64 va, unsigned int level)
{
	return (unsigned int)(va >> (12 + 9 * level)) & (KAWARA_TABLE_ENTRIES - 1);
}

/* What one entry of a table stands for. */
static inline kawara_u64 kawara_entry_bytes(unsigned int level) { return KAWARA_PAGE_BYTES << (9 * level); }

/* Whole pages, at least one, between the guard and the end. */
static inline int kawara_va_range_ok(kawara_u64 va, kawara_u64 size)
{
	return !((va | size) & (KAWARA_PAGE_BYTES - 1)) && size && va >= KAWARA_VA_GUARD && va < KAWARA_VA_END &&
	       size <= KAWARA_VA_END - va;
}

static inline kawara_u64 kawara_pte_table(kawara_u64 table) { return table | KAWARA_PTE_VALID; }

/* access: bits of KAWARA_PTE_ACCESS. */
static inline kawara_u64 kawara_pte_leaf(kawara_u64 target, kawara_u64 access)
{
	return target | access | KAWARA_PTE_VALID | KAWARA_PTE_LEAF;
}

static inline kawara_u64 kawara_pte_address(kawara_u64 entry) { return entry & KAWARA_PTE_ADDRESS; }

static inline int kawara_pte_is_table(kawara_u64 entry, unsigned int level)
{
	return level > 0 && (entry & ~KAWARA_PTE_ADDRESS) == KAWARA_PTE_VALID;
}

static inline int kawara_pte_is_leaf(kawara_u64 entry, unsigned int level)
{
	const kawara_u64 both = KAWARA_PTE_VALID | KAWARA_PTE_LEAF;

	return level < KAWARA_TABLE_ROOT_LEVEL && (entry & both) == both && !(entry & ~KAWARA_PTE_NAMED) &&
	       !(kawara_pte_address(entry) & (kawara_entry_bytes(level) - 1));
}

/* --- The chip's side: walking --- */

struct kawara_walker {
	/* One aligned 64-bit read of the entry at the bus address; 0 if nothing answers there. */
	int (*read)(void *context, kawara_u64 bus, kawara_u64 *entry);
	void *context;
	kawara_u64 root, local_bytes;
	/* The table of 4 KiB leaves that the last walk came to, and its 2 MiB: neighbouring pages need one read instead of three.
	 * Block 0 is none: nothing is kept of it. Good for as long as nobody is told that an entry is gone. */
	kawara_u64 table, block;
};

/* Where a byte lies, or the fault that its access makes. */
struct kawara_translation {
	kawara_u32 fault;
	int write;          /* of a fault: the access was one; reading a table never is */
	int local;          /* in local memory, else on the bus */
	kawara_u64 address; /* of the byte; of a fault: virtual, of host_bus_error on the bus */
	kawara_u64 left;    /* bytes from it to the end of its page */
};

static inline struct kawara_translation kawara_walk_fault(kawara_u32 code, kawara_u64 address, int write)
{
	struct kawara_translation fault;

	fault.fault = code;
	fault.write = write;
	fault.local = 0;
	fault.address = address;
	fault.left = 0;
	return fault;
}

static inline struct kawara_translation kawara_walk_leaf(kawara_u64 entry, unsigned int level, kawara_u64 va, int write,
							 kawara_u64 local_bytes)
{
	const kawara_u64 offset = va & (kawara_entry_bytes(level) - 1);
	struct kawara_translation page;

	if (!kawara_pte_is_leaf(entry, level) || (!write && !(entry & KAWARA_PTE_READ)))
		return kawara_walk_fault(KAWARA_FAULT_page_fault, va, write);
	if (write && !(entry & KAWARA_PTE_WRITE))
		return kawara_walk_fault(KAWARA_FAULT_read_only, va, write);
	page.fault = KAWARA_FAULT_none;
	page.write = write;
	page.local = (entry & KAWARA_PTE_LOCAL) != 0;
	page.address = kawara_pte_address(entry) + offset;
	page.left = kawara_entry_bytes(level) - offset;
	if (page.local && (page.address >= local_bytes || page.left > local_bytes - page.address))
		return kawara_walk_fault(KAWARA_FAULT_page_fault, va, write);
	return page;
}

static inline struct kawara_translation kawara_walk(struct kawara_walker *walker, kawara_u64 va, int write)
{
	const kawara_u64 block = va / KAWARA_LARGE_PAGE_BYTES;
	const int again = block != 0 && block == walker->block;
	unsigned int level = again ? 0 : KAWARA_TABLE_ROOT_LEVEL;
	kawara_u64 table = kawara_pte_address(again ? walker->table : walker->root);

	if (va < KAWARA_VA_GUARD || va >= KAWARA_VA_END)
		return kawara_walk_fault(KAWARA_FAULT_page_fault, va, write);
	for (;; --level) {
		const kawara_u64 bus = table + kawara_table_index(va, level) * sizeof(kawara_u64);
		kawara_u64 entry = 0;

		if (!walker->read(walker->context, bus, &entry))
			return kawara_walk_fault(KAWARA_FAULT_host_bus_error, bus, 0);
		/* At level 0 nothing is a table, so the walk ends. */
		if (!kawara_pte_is_table(entry, level))
			return kawara_walk_leaf(entry, level, va, write, walker->local_bytes);
		table = kawara_pte_address(entry);
		if (level == 1) {
			walker->table = table;
			walker->block = block;
		}
	}
}

/* --- The driver's side: mapping --- */

struct kawara_page_table {
	/* The entries of a table that add_table() gave. */
	kawara_u64 *(*entries)(void *context, kawara_u64 table);
	/* A new table, all zero; 0 if there is no memory. Tables stay until the address space ends: only leaves come and go,
	 * so that what was unmapped can be mapped again without memory. */
	int (*add_table)(void *context, kawara_u64 *table);
	void *context;
	kawara_u64 root;
};

enum kawara_map_result {
	KAWARA_MAP_OK = 0,
	KAWARA_MAP_BAD_RANGE = 1, /* of virtual addresses, of the target, or an access that no bit stands for */
	KAWARA_MAP_TAKEN = 2,     /* something is mapped there */
	KAWARA_MAP_NO_TABLE = 3,  /* add_table() had no memory */
};

/* The chip may read the entry at any time: it sees the old one or the new, and what the new one points to. */
static inline void kawara_pte_store(kawara_u64 *entry, kawara_u64 value)
{
#ifdef __KERNEL__
	dma_wmb();
	WRITE_ONCE(*entry, value);
#else
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
#endif
}

/* Clears what lies in the range and gives how many bytes that was. Holes stay holes; a 2 MiB leaf is cleared only where the
 * range has all of it. The chip may use what was cleared until its context is invalidated. */
static inline kawara_u64 kawara_unmap(struct kawara_page_table *table, kawara_u64 va, kawara_u64 size)
{
	const kawara_u64 end = va + size;
	kawara_u64 cleared = 0;

	if (!kawara_va_range_ok(va, size))
		return 0;
	while (va < end) {
		unsigned int level = KAWARA_TABLE_ROOT_LEVEL;
		kawara_u64 *entry = table->entries(table->context, table->root) + kawara_table_index(va, level);
		kawara_u64 bytes;

		while (kawara_pte_is_table(*entry, level)) {
			kawara_u64 *entries = table->entries(table->context, kawara_pte_address(*entry));

			entry = entries + kawara_table_index(va, --level);
		}
		bytes = kawara_entry_bytes(level);
		if ((*entry & KAWARA_PTE_VALID) && !(va & (bytes - 1)) && bytes <= end - va) {
			kawara_pte_store(entry, 0);
			cleared += bytes;
		}
		va = (va & ~(bytes - 1)) + bytes;
	}
	return cleared;
}

/* The entry for a leaf at `va`: of 2 MiB if `large` and no table of small ones is there already. */
static inline enum kawara_map_result kawara_find_leaf(struct kawara_page_table *table, kawara_u64 va, int large, kawara_u64 **entry,
						      unsigned int *level)
{
	kawara_u64 at = table->root;

	for (*level = KAWARA_TABLE_ROOT_LEVEL;; --*level) {
		kawara_u64 added = 0;

		*entry = table->entries(table->context, at) + kawara_table_index(va, *level);
		if (kawara_pte_is_table(**entry, *level)) {
			at = kawara_pte_address(**entry);
			continue;
		}
		if (**entry & KAWARA_PTE_VALID)
			return KAWARA_MAP_TAKEN;
		if (*level == 0 || (*level == 1 && large))
			return KAWARA_MAP_OK;
		if (!table->add_table(table->context, &added))
			return KAWARA_MAP_NO_TABLE;
		kawara_pte_store(*entry, kawara_pte_table(added));
		at = added;
	}
}

/* Maps the range to as much memory from `target`, with leaves as large as fit; all or nothing. */
static inline enum kawara_map_result kawara_map(struct kawara_page_table *table, kawara_u64 va, kawara_u64 target, kawara_u64 size,
						kawara_u64 access)
{
	kawara_u64 done = 0;

	if (!kawara_va_range_ok(va, size) || (target & ~KAWARA_PTE_ADDRESS) ||
	    ((target + size - 1) & ~(KAWARA_PTE_ADDRESS | (KAWARA_PAGE_BYTES - 1))) || (access & ~KAWARA_PTE_ACCESS))
		return KAWARA_MAP_BAD_RANGE;
	while (done < size) {
		const int large = !((va + done) & (KAWARA_LARGE_PAGE_BYTES - 1)) && !((target + done) & (KAWARA_LARGE_PAGE_BYTES - 1)) &&
				  size - done >= KAWARA_LARGE_PAGE_BYTES;
		kawara_u64 *entry;
		unsigned int level;
		const enum kawara_map_result found = kawara_find_leaf(table, va + done, large, &entry, &level);

		if (found != KAWARA_MAP_OK) {
			if (done)
				kawara_unmap(table, va, done);
			return found;
		}
		kawara_pte_store(entry, kawara_pte_leaf(target + done, access));
		done += kawara_entry_bytes(level);
	}
	return KAWARA_MAP_OK;
}

#endif
