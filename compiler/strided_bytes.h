// SPDX-License-Identifier: Apache-2.0
// Bytes along loops: a run of neighbours, repeated at strides. What an operand touches, where it can be told exactly.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "byte_set.h"

namespace kawara::compiler {

class StridedBytes {
 public:
  StridedBytes() = default;  // none
  // One element of `bits` bits, `bit` bits from the region's start.
  StridedBytes(uint64_t bit, uint32_t bits) : first_(bit), run_(bits) {}

  void move(int64_t bits) { first_ += static_cast<uint64_t>(bits); }

  // All so far, `count` times, each `stride` bits behind the one before. count: at least 1.
  void repeat(uint64_t count, int64_t stride) {
    if (count <= 1 || stride == 0) return;
    if (stride < 0) first_ += static_cast<uint64_t>(stride) * (count - 1);
    loops_.push_back({count, static_cast<uint64_t>(stride < 0 ? -stride : stride)});
  }

  // Joins what touches, so that there are as few runs as this form can tell. After the last repeat().
  void join() {
    std::ranges::sort(loops_, {}, &Loop::stride);
    std::vector<Loop> apart;
    for (const Loop& loop : loops_) {
      if (apart.empty() && loop.stride <= run_)
        run_ += (loop.count - 1) * loop.stride;
      else if (!apart.empty() && loop.stride % apart.back().stride == 0 && loop.stride / apart.back().stride <= apart.back().count)
        apart.back().count += (loop.count - 1) * (loop.stride / apart.back().stride);
      else
        apart.push_back(loop);
    }
    loops_ = std::move(apart);
  }

  // Saturated.
  uint64_t runs() const {
    uint64_t runs = run_ == 0 ? 0 : 1;
    for (const Loop& loop : loops_)
      if (__builtin_mul_overflow(runs, loop.count, &runs)) return std::numeric_limits<uint64_t>::max();
    return runs;
  }

  // Calls the function with each run, until it says false. Bytes of which a run has some bits alone count as whole.
  template <typename Call>
  bool for_each_run(Call&& call) const {
    if (run_ == 0) return true;
    std::vector<uint64_t> at(loops_.size());
    for (uint64_t begin = first_;;) {
      if (!call(ByteRange{begin / 8, (begin + run_ + 7) / 8})) return false;
      size_t loop = 0;
      for (; loop < loops_.size() && ++at[loop] == loops_[loop].count; ++loop) {
        begin -= (loops_[loop].count - 1) * loops_[loop].stride;
        at[loop] = 0;
      }
      if (loop == loops_.size()) return true;
      begin += loops_[loop].stride;
    }
  }

 private:
  struct Loop {
    uint64_t count, stride;  // bits
  };
  uint64_t first_ = 0;  // bit, modulo 2^64 while it is put together
  uint64_t run_ = 0;
  std::vector<Loop> loops_;
};

}  // namespace kawara::compiler
