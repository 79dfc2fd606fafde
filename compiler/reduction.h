// SPDX-License-Identifier: Apache-2.0
// What the Reduce operators and the global pools share: one loop nest with one tree phase.
#pragma once

#include <span>
#include <vector>

#include "lowering.h"

namespace kawara::compiler {

// One element as it enters the reduction, and the result of `count` elements as it leaves.
struct Reduction {
  Register (*enter)(Points&, Register element);
  kawara_microcode combine;
  Register (*leave)(Points&, Register result, int64_t count);
};

inline Register as_it_is(Points&, Register element) { return element; }
inline Register as_it_is(Points&, Register result, int64_t) { return result; }
inline Register mean(Points& points, Register sum, int64_t count) { return points.div(sum, points.constant(sum.type, count)); }

// Reduces input 0 over the given dimensions; kept ones stand in the output as 1.
void lower_reduction(Lowering& lowering, const Node& group, std::span<const size_t> dimensions, bool keep, const Reduction& reduction);

// Of the Reduce operators: axes from the attribute or the second input, keepdims, noop_with_empty_axes.
void infer_reduce(Inference& inference);
void lower_reduce(Lowering& lowering, const Node& group, const Reduction& reduction);
// Of the global pools: all dimensions behind the channels.
void infer_global_pool(Inference& inference);
void lower_global_pool(Lowering& lowering, const Node& group, const Reduction& reduction);

}  // namespace kawara::compiler
