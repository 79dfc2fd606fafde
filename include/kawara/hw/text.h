/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Command buffers and region tables as text and back: the same bytes again, always.
 *
 *   # output[i] = max(input[i], 0)
 *   vector {
 *     header { debug_id = 7, wait = [DMA_IN:1] }
 *     section { extent = [1000], n_par = 1 }
 *     input { data = 0:0x0, dtype = f32, n_coord = 1 }
 *     output { data = 1:0x0, dtype = f32, n_coord = 1 }
 *     coord { stride = 1, extent = 1000, coef = [1] }
 *     constants [0x0]
 *     phase { end = 3 }
 *     load.f32 r0, s0
 *     max.f32 r1, r0, c0
 *     store.f32 s1, r1
 *   }
 *
 * Blanks, line ends and commas separate words and mean nothing else; # starts a comment. Names are those of the tables.
 *
 *   buffer   = { COMMAND "{" { member | part | instr } "}" }      COMMAND: a row of commands.def
 *   member   = NAME "=" value  |  NAME "{" { member } "}"          a field of the body; the second form for a struct
 *   part     = ("section" | "input" | "output" | "coord" | "phase" | "instr") "{" { member } "}"
 *            | "constants" list                                    inputs come before outputs, whatever their places here
 *   value    = NUMBER | list | dtype | engine | REGION ":" OFFSET | "absent" | ENGINE ":" COUNT (of a wait) | "none"
 *   list     = "[" { value } "]"                                   values that are left out keep their default
 *   instr    = OP "." TYPE DST { SOURCE }                          r0-r31 registers, c0-c63 constants, i0-i8 loop indices,
 *            | "cvt" "." TO "." FROM DST SOURCE                    acc0-acc3 accumulators, b_index, s0-s65535 streams
 *   table    = { "region" ("memory" | "sram") ADDRESS "+" SIZE { "read" | "write" | "alias" "=" GROUP } }
 *
 * Defaults: no waits, no limit, the one engine that may run the command, operands absent, extents of unused dimensions 1,
 * `den` 1, everything else 0. Opcode, size and the counts of arrays are never written: they follow from what is there.
 */
#pragma once

#include "kawara/hw/assemble.h"
#include "kawara/hw/disassemble.h"
#include "kawara/hw/region_text.h"
