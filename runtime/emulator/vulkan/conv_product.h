// SPDX-License-Identifier: Apache-2.0
// A convolution as products over its windows.
#pragma once

#include "emulator/vulkan/product.h"
#include "emulator/vulkan/widen.h"
#include "kawara/hw/commands.h"

namespace kawara::emulator::vulkan {

// inputs [image, group, channel in, z, y, x]; weights [group, channel out, channel in, z, y, x]. Where the sums go is the caller's,
// and so is the type.
Product conv_product(const kawara_conv& conv, const WidenedOperand& inputs, const WidenedOperand& weights);

// The same where there is one position and one tap, without padding: the outputs' channels are the product's positions, so that
// they fill the lanes, and the inputs take the weights' place.
Product point_product(const kawara_conv& conv, const WidenedOperand& inputs, const WidenedOperand& weights);

// Positions of the input, along one dimension, that an ordinary convolution's windows reach from their first to their last.
uint64_t window_reach(const kawara_conv& conv, unsigned dim);

}  // namespace kawara::emulator::vulkan
