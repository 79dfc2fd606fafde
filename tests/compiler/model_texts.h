// SPDX-License-Identifier: Apache-2.0
// Small models of many shapes, for tests that hold for any program: chains, branches, pieces in place, borders.
#pragma once

#include <string>
#include <vector>

namespace kawara::test {

inline std::vector<std::string> model_texts() {
  return {
      R"(graph "chain" opset 13 (%x: f32[8,8], %w: f32[8,8]) {
        %a = MatMul(%x, %w)
        %b = Softmax(%a)
        %c = MatMul(%b, %w)
        %d = Softmax(%c)
        %e = MatMul(%d, %w)
        %y = Softmax(%e)
        return %y
      })",
      R"(graph "branches" opset 13 (%x: f32[16,16], %z: f32[16,16]) {
        %a1 = MatMul(%x, %x)
        %a2 = Softmax(%a1)
        %a3 = MatMul(%a2, %x)
        %a4 = Softmax(%a3)
        %b1 = MatMul(%z, %z)
        %b2 = Softmax(%b1)
        %b3 = MatMul(%b2, %z)
        %b4 = Softmax(%b3)
        %y = MatMul(%a4, %b4)
        return %y, %a2, %b3
      })",
      R"(graph "pieces" opset 13 (%x: f32[2,3], %z: f32[2,4]) {
        %a = Relu(%x)
        %b = Neg(%x)
        %c = Concat(%a, %z, %b, %b) { axis = -1 }
        %y = Abs(%c)
        return %y, %c
      })",
      R"(graph "convolutions" opset 13 (%x: f32[1,3,8,8]) {
        %w = f32[4,3,3,3] random<7>
        %v = f32[4,4,3,3] random<8>
        %a = Conv(%x, %w) { pads = [1, 1, 1, 1] }
        %b = Relu(%a)
        %c = Conv(%b, %v) { pads = [1, 1, 1, 1] }
        %d = Add(%c, %b)
        %e = MaxPool(%d) { kernel_shape = [2, 2], strides = [2, 2] }
        %f = Conv(%e, %v) { pads = [1, 1, 1, 1] }
        %y = GlobalAveragePool(%f)
        return %y, %e
      })",
      R"(graph "turned" opset 13 (%x: f32[2,3,4], %u: f32[3]) {
        %s = i64[2] dense<4, 6>
        %t = Transpose(%x) { perm = [2, 0, 1] }
        %e = Neg(%t)
        %v = Transpose(%e) { perm = [0, 2, 1] }
        %r = Reshape(%v, %s)
        %y = Softmax(%r)
        %k = Exp(%u)
        return %y, %u, %k
      })",
  };
}

}  // namespace kawara::test
