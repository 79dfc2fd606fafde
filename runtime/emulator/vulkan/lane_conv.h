// SPDX-License-Identifier: Apache-2.0
// The sums of a convolution on a software device, as products over its windows.
#pragma once

#include "emulator/vulkan/lane_product.h"
#include "emulator/vulkan/product.h"
#include "emulator/vulkan/widen.h"
#include "kawara/hw/commands.h"

namespace kawara::emulator::vulkan {

// Of floats without a zero point, in one or two dimensions, with all channels of a group in whole tiles.
class LaneConv {
 public:
  explicit LaneConv(const kawara_conv& conv);

  // Whether it fits lanes and gains from them.
  bool suits() const { return suits_; }
  // Elements from one line of positions to the next in the sums: windows that are read where they lie compute some between lines.
  uint64_t line() const { return line_; }
  // Elements of a row of sums that are written.
  uint64_t columns() const { return uint64_t{conv_.out[1]} * line_; }
  // product: as for any device; its rows of sums are as long as LaneProduct wants those of columns().
  void add(Recorder& recorder, const Product& product, uint64_t& scratch) const;

 private:
  bool is_direct() const;
  bool has_border() const;
  uint32_t taps() const { return conv_.kernel[1] * conv_.kernel[2]; }
  void pack_weights(Recorder& recorder, Product& product, uint64_t& scratch) const;
  void add_direct(Recorder& recorder, const Product& product, uint64_t& scratch) const;
  void add_gathered(Recorder& recorder, Product product, uint64_t& scratch) const;

  const kawara_conv& conv_;
  bool suits_, direct_;
  uint64_t line_;
};

// A product whose depths and positions are single dimensions, its operands copied first where lanes can't walk them.
void add_on_lanes(Recorder& recorder, const Product& product, uint64_t& scratch);

}  // namespace kawara::emulator::vulkan
