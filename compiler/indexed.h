// SPDX-License-Identifier: Apache-2.0
// What Gather and GatherND share: loads at indices that are known when the command runs.
#pragma once

#include <span>

#include "lowering.h"

namespace kawara::compiler {

// A dimension in which a register says where to read. Indices below zero count from the back.
struct IndexedDimension {
  int64_t stride = 0;  // elements
  int64_t extent = 0;
  Register index;  // i32 or i64
};

// Loads from a view whose other dimensions are walked by loops, `steps` elements for each. An index outside its extent gives 0.
// One to three dimensions.
Register load_indexed(Section& section, const View& view, DType dtype, std::span<const int64_t> steps,
                      std::span<const IndexedDimension> dimensions);

}  // namespace kawara::compiler
