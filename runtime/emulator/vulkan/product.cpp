// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/product.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "emulator/stride.h"
#include "emulator/vulkan/magic_divisor.h"
#include "emulator/vulkan/recorder.h"
#include "kawara/error.h"
#include "product_f32_1.h"
#include "product_f32_1_transposed.h"
#include "product_f32_1_transposed_wide.h"
#include "product_f32_1_wide.h"
#include "product_f32_8.h"
#include "product_f32_8_transposed.h"
#include "product_f32_8_transposed_wide.h"
#include "product_f32_8_wide.h"
#include "product_f32_single.h"
#include "product_f32_single_transposed.h"
#include "product_f32_single_transposed_wide.h"
#include "product_f32_single_wide.h"
#include "product_i32_1.h"
#include "product_i32_1_transposed.h"
#include "product_i32_1_transposed_wide.h"
#include "product_i32_1_wide.h"
#include "product_i32_8.h"
#include "product_i32_8_transposed.h"
#include "product_i32_8_transposed_wide.h"
#include "product_i32_8_wide.h"
#include "product_i32_single.h"
#include "product_i32_single_transposed.h"
#include "product_i32_single_transposed_wide.h"
#include "product_i32_single_wide.h"

namespace kawara::emulator::vulkan {

namespace {

// As kernels/product.comp reads it. Strides count bytes.
struct ProductParameters {
  uint64_t weights, inputs, sums, pad_address, limit_address;
  int64_t weights_batch[2], weights_row, weights_depth, weights_tap[3];
  int64_t inputs_batch[2], inputs_depth, inputs_position[3];
  int64_t sums_batch[2], sums_row, sums_position[3];
  uint32_t inner_batches, first_batch, end_batch, first_row, end_row, first_position, end_position, depth;
  uint32_t out_magic[2], out_shift[2], out_extent[2];
  uint32_t taps[3], in_extent[3], stride[3], dilation[3];
  int32_t pad_begin[3];
  uint32_t pad;
};
static_assert(offsetof(ProductParameters, pad) == KAWARA_PRODUCT_PAD_OFFSET, "the build tells the kernel where the pad is");

struct Kernel {
  const char* name;
  std::span<const uint32_t> code;
  uint32_t rows, lines, batches;  // rows of an invocation; row blocks and batches of a workgroup
  // A multiplication on two cores of a software device, generously: it bounds the time to an abort.
  uint64_t term_picoseconds;
};

// Whether distances between inputs of one batch need more than 32 bits.
bool is_wide(const Product& product) {
  uint64_t reach = 0;
  for (int i = 0; i < 3; ++i) {
    const uint64_t values =
        std::max<uint64_t>(product.in[i], uint64_t{product.out[i]} * product.stride[i] + uint64_t{product.taps[i]} * product.dilation[i]);
    const auto step = static_cast<uint64_t>(product.inputs_position[i]);
    const uint64_t stride = (product.inputs_position[i] < 0 ? 0 - step : step) * 4;
    if (stride != 0 && values > (uint64_t{1} << 31) / stride) return true;
    reach += values * stride;
  }
  return reach >= uint64_t{1} << 31;
}

Kernel choose(const Product& product) {
  // Few rows to a product, as in a depthwise convolution: a block of eight would compute most of them for nothing.
#define KAWARA_KERNEL(name) (product.rows < 4 ? Kernel{#name, name, 1, 1, 8, 4000} : Kernel{#name, name, 8, 2, 1, 500})
#define KAWARA_FORMS(name)                                                                                        \
  is_wide(product) ? (product.is_transposed ? KAWARA_KERNEL(name##_transposed_wide) : KAWARA_KERNEL(name##_wide)) \
                   : (product.is_transposed ? KAWARA_KERNEL(name##_transposed) : KAWARA_KERNEL(name))
  if (product.rows < 4 && product.depth == 1)
    return product.is_integer ? KAWARA_FORMS(product_i32_single) : KAWARA_FORMS(product_f32_single);
  if (product.rows < 4) return product.is_integer ? KAWARA_FORMS(product_i32_1) : KAWARA_FORMS(product_f32_1);
  return product.is_integer ? KAWARA_FORMS(product_i32_8) : KAWARA_FORMS(product_f32_8);
#undef KAWARA_FORMS
#undef KAWARA_KERNEL
}

int64_t in_bytes(int64_t elements) { return moved(0, elements, 4); }

template <size_t n>
void in_bytes(int64_t (&to)[n], const std::array<int64_t, n>& elements) {
  for (size_t i = 0; i < n; ++i) to[i] = in_bytes(elements[i]);
}

ProductParameters parameters_of(const Product& product) {
  ProductParameters p{};
  in_bytes(p.weights_batch, product.weights_batch);
  in_bytes(p.weights_tap, product.weights_tap);
  in_bytes(p.inputs_batch, product.inputs_batch);
  in_bytes(p.inputs_position, product.inputs_position);
  in_bytes(p.sums_batch, product.sums_batch);
  in_bytes(p.sums_position, product.sums_position);
  p.weights_row = in_bytes(product.weights_row);
  p.weights_depth = in_bytes(product.weights_depth);
  p.inputs_depth = in_bytes(product.inputs_depth);
  p.sums_row = in_bytes(product.sums_row);
  p.inner_batches = product.batches[1];
  p.depth = product.depth;
  for (int i = 0; i < 2; ++i) {
    p.out_extent[i] = product.out[i + 1];
    const MagicDivisor divisor(product.out[i + 1]);
    p.out_magic[i] = divisor.magic;
    p.out_shift[i] = divisor.shift;
  }
  std::ranges::copy(product.taps, p.taps);
  std::ranges::copy(product.in, p.in_extent);
  std::ranges::copy(product.stride, p.stride);
  std::ranges::copy(product.dilation, p.dilation);
  std::ranges::copy(product.pad_begin, p.pad_begin);
  p.pad = product.pad;
  return p;
}

// Half-open ranges of what one dispatch computes.
struct Part {
  uint64_t batch, batches, row, rows, position, positions;
};

constexpr uint32_t kPositionsOfBlock = 32;
constexpr uint64_t kGroupsMax = 65535;

void add_part(Recorder& recorder, const Product& product, const Kernel& kernel, ProductParameters p, const Part& part) {
  p.first_batch = static_cast<uint32_t>(part.batch);
  p.end_batch = static_cast<uint32_t>(part.batch + part.batches);
  p.first_row = static_cast<uint32_t>(part.row);
  p.end_row = static_cast<uint32_t>(part.row + part.rows);
  p.first_position = static_cast<uint32_t>(part.position);
  p.end_position = static_cast<uint32_t>(part.position + part.positions);
  const auto groups = [](uint64_t count, uint32_t each) { return static_cast<uint32_t>((count + each - 1) / each); };
  Dispatch dispatch;
  dispatch.groups_x = groups(part.positions, kPositionsOfBlock);
  dispatch.groups_y = groups(part.rows, kernel.rows * kernel.lines);
  dispatch.groups_z = groups(part.batches, kernel.batches);
  dispatch.parameters.resize(sizeof(p));
  std::memcpy(dispatch.parameters.data(), &p, sizeof(p));
  dispatch.slots = {{offsetof(ProductParameters, weights), product.weights},
                    {offsetof(ProductParameters, inputs), product.inputs},
                    {offsetof(ProductParameters, sums), product.sums}};
  if (product.has_pad_place) dispatch.slots.push_back({offsetof(ProductParameters, pad_address), product.pad_place});
  if (product.limits_depth) dispatch.slots.push_back({offsetof(ProductParameters, limit_address), product.limit});
  dispatch.count_at = offsetof(ProductParameters, end_batch);
  const uint64_t terms = uint64_t{product.depth} * product.taps[0] * product.taps[1] * product.taps[2];
  dispatch.estimate_ns = part.batches * part.rows * part.positions * std::max<uint64_t>(terms, 1) * kernel.term_picoseconds / 1000;
  recorder.add_dispatch(std::move(dispatch), kernel.name, [&] { return std::vector(kernel.code.begin(), kernel.code.end()); });
}

}  // namespace

void add_product(Recorder& recorder, const Product& product) {
  const uint64_t batches = uint64_t{product.batches[0]} * product.batches[1];
  const uint64_t positions = uint64_t{product.out[0]} * product.out[1] * product.out[2];
  if (batches == 0 || positions == 0 || product.rows == 0) return;
  if (positions >= uint64_t{1} << 31 || batches >= uint64_t{1} << 31)
    throw fail(Code::unsupported, "a product of {} batches of {} positions: the executor on Vulkan counts them in 31 bits", batches,
               positions);
  const Kernel kernel = choose(product);
  const ProductParameters p = parameters_of(product);
  // Each part is at most a slice's time and a grid's size: whole rows of blocks where that goes, else pieces of them.
  const uint64_t terms = std::max<uint64_t>(1, uint64_t{product.depth} * product.taps[0] * product.taps[1] * product.taps[2]);
  const uint64_t outputs = std::max<uint64_t>(1, Recording::kSliceNs * 1000 / kernel.term_picoseconds / terms);
  const uint64_t row_block = uint64_t{kernel.rows} * kernel.lines;
  const uint64_t positions_each =
      std::clamp<uint64_t>(outputs / std::min<uint64_t>(row_block, product.rows) / kPositionsOfBlock, 1, kGroupsMax) * kPositionsOfBlock;
  const uint64_t rows_each = std::clamp(outputs / std::min(positions, positions_each) / row_block, uint64_t{1}, kGroupsMax) * row_block;
  const uint64_t batches_each =
      std::clamp(outputs / std::min(positions, positions_each) / std::min<uint64_t>(product.rows, rows_each), uint64_t{1}, kGroupsMax);
  for (uint64_t batch = 0; batch < batches; batch += batches_each)
    for (uint64_t row = 0; row < product.rows; row += rows_each)
      for (uint64_t position = 0; position < positions; position += positions_each)
        add_part(recorder, product, kernel, p,
                 {batch, std::min(batches_each, batches - batch), row, std::min(rows_each, product.rows - row), position,
                  std::min(positions_each, positions - position)});
}

}  // namespace kawara::emulator::vulkan
