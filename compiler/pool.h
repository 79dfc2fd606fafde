// SPDX-License-Identifier: Apache-2.0
// What the pools share: loops over the output's points and, reduced, over the kernel's taps.
#pragma once

#include "lowering.h"
#include "window.h"

namespace kawara::compiler {

// A pool's loop nest: n, channel, spatial … in parallel, the kernel's dimensions reduced.
class Pool {
 public:
  Pool(Lowering& lowering, const Node& node);

  const Window& window() const { return window_; }
  Section& section() { return section_; }
  // The input's element at a tap; outside of the input `pad`, bits of its dtype.
  Stream taps(uint64_t pad) const;
  // 1.0 at each tap inside the input (with count_pads: or its pads), 0.0 outside: what a mean counts.
  Stream ones(bool count_pads) const;
  std::span<const size_t> loop_of() const { return loop_of_; }

 private:
  Coordinate spatial(size_t dimension, int64_t stride, int64_t base, int64_t extent) const;

  Lowering& lowering_;
  const Node& node_;
  Window window_;
  Section section_;
  std::vector<size_t> loop_of_;
};

// kernel_shape, and the window's own rules; sets the output's shape.
void infer_pool(Inference& inference);

}  // namespace kawara::compiler
