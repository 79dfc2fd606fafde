// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_product_shader.h"

#include <array>
#include <cstddef>

#include "emulator/vulkan/lane_code.h"
#include "emulator/vulkan/lane_product.h"

namespace kawara::emulator::vulkan {

namespace {

constexpr uint32_t kRun = 32;  // terms

class LaneProductShader {
 public:
  explicit LaneProductShader(const LaneTerms& terms)
      : terms_(terms),
        vectors_(LaneProduct::kColumns / terms.lanes),
        b_(terms.lanes * kTilesOfGroup, sizeof(LanePush) / 4),
        code_(b_, offsetof(LanePush, number) / 4, terms.lanes) {}

  std::vector<uint32_t> build() {
    read_push();
    find_tile();
    for (uint32_t i = 0; i < terms_.depth; ++i) add_depth();
    end_run();
    for (uint32_t row = 0; row < terms_.rows; ++row) store_row(row);
    return b_.finish();
  }

 private:
  Id word(size_t offset) { return b_.pushed_word(b_.u32(static_cast<uint32_t>(offset / 4))); }
  Id wide(Id value) { return b_.op(spv::OpUConvert, b_.u64_type, {value}); }
  Id wide_word(size_t offset) { return wide(word(offset)); }
  Id address(size_t offset) { return code_.pushed_address(static_cast<uint32_t>(offset / 4)); }
  Id add(Id a, Id b) { return b_.op(spv::OpIAdd, b_.u64_type, {a, b}); }
  Id multiply(Id a, Id b) { return b_.op(spv::OpIMul, b_.u64_type, {a, b}); }
  Id add32(Id a, Id b) { return b_.op(spv::OpIAdd, b_.u32_type, {a, b}); }

  void read_push() {
    weights_ = address(offsetof(LanePush, weights));
    inputs_ = address(offsetof(LanePush, inputs));
    to_ = address(offsetof(LanePush, sums));
    old_ = address(offsetof(LanePush, old));
    weights_row_ = wide_word(offsetof(LanePush, weights_row));
    inputs_depth_ = wide_word(offsetof(LanePush, inputs_depth));
    tap_line_ = wide_word(offsetof(LanePush, tap_line));
    sums_row_ = wide_word(offsetof(LanePush, sums_row));
    old_row_ = wide_word(offsetof(LanePush, old_row));
    old_column_ = wide_word(offsetof(LanePush, old_column));
    row_tiles_ = word(offsetof(LanePush, row_tiles));
    for (size_t i = 0; i < 3; ++i) {
      block_rows_[i] = word(offsetof(LanePush, block_rows) + 4 * i);
      columns_[i] = word(offsetof(LanePush, columns) + 4 * i);
    }
    spare_column_ = word(offsetof(LanePush, spare_column));
  }

  // by: a divisor, its magic number and shift.
  Id divided(Id number, const std::array<Id, 3>& by, Id& rest) {
    const Id quotient = b_.quotient(number, by[1], by[2]);
    rest = b_.op(spv::OpISub, b_.u32_type, {number, b_.op(spv::OpIMul, b_.u32_type, {quotient, by[0]})});
    return quotient;
  }

  void find_tile() {
    const Id u32 = b_.u32_type, group = code_.workgroup(kGroupDigitsOfProduct);
    const Id tile = add32(b_.op(spv::OpIMul, u32, {group, b_.u32(kTilesOfGroup)}), code_.subgroup());
    // Rows of a block first, then columns, then blocks: the inputs of a column and the weights of a block stay in a core's first cache.
    Id row_of_block, in_row;
    const Id block = divided(divided(tile, block_rows_, row_of_block), columns_, in_row);
    const Id in_column = add32(b_.op(spv::OpIMul, u32, {block, block_rows_[0]}), row_of_block);
    const Id is_there = b_.op(spv::OpULessThan, b_.bool_type, {in_column, row_tiles_});
    const Id column = wide(b_.select(is_there, in_row, spare_column_, u32));
    const Id row = b_.select(is_there, in_column, b_.u32(0), u32);
    const Id first_row = wide(b_.op(spv::OpIMul, u32, {row, b_.u32(terms_.rows)}));
    const Id column_bytes = multiply(column, b_.u64(LaneProduct::kColumns * 4));
    weights_ = add(weights_, multiply(first_row, weights_row_));
    old_ = add(old_, add(multiply(first_row, old_row_), multiply(column, old_column_)));
    to_ = add(to_, add(multiply(first_row, sums_row_), add(column_bytes, multiply(wide(code_.lane()), b_.u64(4)))));
    inputs_ = add(inputs_, column_bytes);
    for (uint32_t row_of_tile = 0; row_of_tile < terms_.rows; ++row_of_tile)
      rows_[row_of_tile] = row_of_tile == 0 ? weights_ : add(rows_[row_of_tile - 1], weights_row_);
  }

  Id load(Id address, uint32_t offset) { return b_.load_at(offset == 0 ? address : add(address, b_.u64(offset)), b_.f32_type); }

  Id load_vector(Id address, uint32_t offset) {
    return code_.neighbours(offset == 0 ? address : add(address, b_.u64(offset)), b_.f32_type, 4, 4);
  }

  void add_depth() {
    Id line = inputs_;
    for (uint32_t y = 0; y < terms_.kernel[0]; ++y) {
      if (y > 0) line = add(line, tap_line_);
      for (uint32_t x = 0; x < terms_.kernel[1]; ++x) add_term(line, 4 * x);
    }
    inputs_ = add(inputs_, inputs_depth_);
  }

  void add_term(Id line, uint32_t offset) {
    std::array<Id, kVectorsMax> inputs;
    for (uint32_t i = 0; i < vectors_; ++i) inputs[i] = load_vector(line, offset + 4 * terms_.lanes * i);
    for (uint32_t row = 0; row < terms_.rows; ++row) {
      const Id weight = load(rows_[row], 4 * term_);
      for (uint32_t i = 0; i < vectors_; ++i) sums_[row][i] = plus(sums_[row][i], b_.op(spv::OpFMul, b_.f32_type, {weight, inputs[i]}));
    }
    if (++term_ % kRun == 0) end_run();
  }

  // The run's sums go to the totals; the next one starts with its first products.
  void end_run() {
    for (uint32_t row = 0; row < terms_.rows; ++row)
      for (uint32_t i = 0; i < vectors_; ++i) {
        totals_[row][i] = plus(totals_[row][i], sums_[row][i]);
        sums_[row][i] = Id::none;
      }
  }

  // none is zero.
  Id plus(Id a, Id b) { return a == Id::none ? b : b == Id::none ? a : b_.op(spv::OpFAdd, b_.f32_type, {a, b}); }

  void store_row(uint32_t row) {
    for (uint32_t i = 0; i < vectors_; ++i) {
      const Id sum = plus(load_vector(old_, 4 * terms_.lanes * i), totals_[row][i]);
      b_.store_at(i == 0 ? to_ : add(to_, b_.u64(4 * terms_.lanes * i)), b_.f32_type, sum);
    }
    old_ = add(old_, old_row_);
    to_ = add(to_, sums_row_);
  }

  static constexpr uint32_t kRowsMax = LaneProduct::kRowsMax, kVectorsMax = 2;

  LaneTerms terms_;
  uint32_t vectors_, term_ = 0;
  SpirvBuilder b_;
  LaneCode code_;
  Id weights_, inputs_, to_, old_, weights_row_, inputs_depth_, tap_line_, sums_row_, old_row_, old_column_;
  Id row_tiles_, spare_column_;
  std::array<Id, 3> block_rows_, columns_;
  std::array<Id, kRowsMax> rows_;
  std::array<std::array<Id, kVectorsMax>, kRowsMax> sums_{}, totals_{};  // of the run and of those before it
};

}  // namespace

std::vector<uint32_t> lane_product_shader(const LaneTerms& terms) { return LaneProductShader(terms).build(); }

}  // namespace kawara::emulator::vulkan
