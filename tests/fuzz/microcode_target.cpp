// SPDX-License-Identifier: Apache-2.0
// Random loop nests and instructions, built so that most of each is right: what check_microcode.h and check_section.h
// accept runs on the reference executor. Input: choices, one byte each, in the order in which the section is built.
#include "fuzz/job.h"
#include "hw/sample_commands.h"

namespace kawara::fuzz {
namespace {

// The input as a stream of choices; 0 for ever behind its end.
class Choices {
 public:
  explicit Choices(std::span<const std::byte> bytes) : left_(bytes) {}

  uint32_t below(uint32_t limit) {
    if (left_.empty()) return 0;
    const auto value = static_cast<uint8_t>(left_[0]);
    left_ = left_.subspan(1);
    return value % limit;
  }
  bool at_end() const { return left_.empty(); }

 private:
  std::span<const std::byte> left_;
};

constexpr uint8_t kOps[] = {
#define INSTR(code, name, form, types, effect) code,
#include "kawara/hw/microcode.def"
};
constexpr uint8_t kTypes[] = {KAWARA_DTYPE_f32, KAWARA_DTYPE_i32, KAWARA_DTYPE_u32, KAWARA_DTYPE_i64};
constexpr uint64_t kRegionBytes = 2048;

kawara_coord coord_of(Choices& choices) {
  kawara_coord coord{};
  coord.den = static_cast<int32_t>(1 + choices.below(3));
  coord.extent = choices.below(5);
  coord.stride = static_cast<int64_t>(choices.below(8)) - 2;
  coord.base = static_cast<int32_t>(choices.below(7)) - 3;
  coord.flags = static_cast<uint8_t>(choices.below(8) < 4 ? 0 : choices.below(8));
  if ((coord.flags & KAWARA_COORD_INDEXED) != 0) {
    coord.reg = static_cast<uint8_t>(choices.below(8));
  } else {
    for (uint32_t terms = choices.below(3); terms > 0; --terms) {
      const uint32_t dim = choices.below(9);
      coord.coef[dim] = static_cast<int32_t>(choices.below(5)) - 2;
    }
  }
  return coord;
}

uint8_t source_of(Choices& choices) {
  switch (choices.below(8)) {
    case 0: return static_cast<uint8_t>(KAWARA_SOURCE_CONSTANT + choices.below(6));
    case 1: return static_cast<uint8_t>(KAWARA_SOURCE_INDEX + choices.below(9));
    case 2: return static_cast<uint8_t>(KAWARA_SOURCE_ACCUMULATOR + choices.below(5));
    default: return static_cast<uint8_t>(choices.below(8));
  }
}

kawara_instr instr_of(Choices& choices, const hw::Section& section) {
  kawara_instr instr{};
  instr.op = kOps[choices.below(std::size(kOps))];
  instr.type = kTypes[choices.below(4)];
  const kawara_form form = kawara_form_of(instr.op);
  if (form != KAWARA_FORM_STORE) instr.dst = static_cast<uint8_t>(choices.below(8));
  uint8_t* const sources = &instr.a;
  for (uint32_t i = 0; i < kawara_sources_of(form); ++i) sources[i] = source_of(choices);
  if (form == KAWARA_FORM_CONVERT) instr.imm = kTypes[choices.below(4)];
  if (form == KAWARA_FORM_LOAD) {
    instr.imm = static_cast<uint16_t>(choices.below(section.n_in + 1u));
    if (instr.imm < section.n_in) instr.type = static_cast<uint8_t>(kawara_compute_type(section.streams[instr.imm].dtype));
  }
  if (form == KAWARA_FORM_STORE) instr.imm = static_cast<uint16_t>(section.n_in + choices.below(4));
  return instr;
}

hw::Section section_of(Choices& choices, bool is_vector) {
  hw::Section section;
  if (is_vector) {
    section.n_par = static_cast<uint8_t>(1 + choices.below(3));
    section.n_red = static_cast<uint8_t>(choices.below(4));
    for (uint32_t i = 0; i < section.n_par; ++i) section.extent[i] = choices.below(6);
    for (uint32_t i = 0; i < section.n_red; ++i) section.extent[6 + i] = choices.below(9) * (choices.below(16) == 0 ? 17 : 1);
  } else {
    section.acc_group = static_cast<uint8_t>(1 + choices.below(2));
  }
  section.n_in = static_cast<uint8_t>(choices.below(4));
  const uint32_t n_out = 1 + choices.below(2);
  for (uint32_t i = choices.below(6); i > 0; --i) section.coords.push_back(coord_of(choices));
  for (uint32_t i = 0; i < section.n_in + n_out; ++i) {
    const bool output = i >= section.n_in;
    // The middle of a region: strides may be negative.
    kawara_stream stream = hw::stream(hw::operand(output ? 1 + i - section.n_in : 0, kRegionBytes / 2), 0, 0);
    stream.dtype = static_cast<uint8_t>(1 + choices.below(18));
    const auto count = static_cast<uint32_t>(section.coords.size());
    stream.n_coord = static_cast<uint8_t>(choices.below(std::min(count, 3u) + 1));
    if (stream.n_coord > 0) stream.first_coord = static_cast<uint8_t>(choices.below(count - stream.n_coord + 1));
    if (!output) stream.pad = choices.below(4) == 0 ? choices.below(256) * 0x0101010101010101ull : 0;
    const uint32_t width = kawara_dtype_bits(stream.dtype);
    if (!output && width < 64) stream.pad &= (1ull << width) - 1;
    if (output) stream.flags = static_cast<uint8_t>(choices.below(2));
    section.streams.push_back(stream);
  }
  for (uint32_t i = choices.below(6); i > 0; --i) section.constants.push_back(choices.below(256) * 0x01010101u);
  const uint32_t phases = 1 + choices.below(3);
  for (uint32_t i = 0; i < phases; ++i) {
    kawara_phase phase{};
    phase.mode = static_cast<uint8_t>(choices.below(2));
    phase.red_dims = static_cast<uint8_t>(section.n_red == 0 ? 0 : choices.below(1u << section.n_red));
    const auto add = [&](uint16_t& border) {
      border = static_cast<uint16_t>(section.instrs.size());
      for (uint32_t count = choices.below(7); count > 0 && !choices.at_end(); --count) section.instrs.push_back(instr_of(choices, section));
    };
    add(phase.before);
    add(phase.step);
    add(phase.after);
    phase.end = static_cast<uint16_t>(section.instrs.size());
    section.phases.push_back(phase);
  }
  return section;
}

std::vector<std::byte> command_of(Choices& choices) {
  const bool is_vector = choices.below(4) != 0;
  const hw::Section section = section_of(choices, is_vector);
  if (is_vector) {
    auto vector = hw::blank<kawara_vector>();
    vector.header.flags |= choices.below(2) ? KAWARA_HEADER_HEALTH : 0;
    return hw::encode(vector, &section);
  }
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = 1 + choices.below(4);
  gemm.N = (1 + choices.below(3)) * section.acc_group;
  gemm.K = choices.below(4);
  const bool whole = choices.below(2) != 0;
  gemm.acc_dtype = whole ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32;
  gemm.a.dtype = gemm.b.dtype = whole ? KAWARA_DTYPE_i8 : KAWARA_DTYPE_f32;
  gemm.a.data = gemm.b.data = hw::operand(0, 0);
  gemm.a.stride[2] = gemm.K;
  gemm.b.stride[2] = gemm.N;
  gemm.a.stride[3] = gemm.b.stride[3] = 1;
  return hw::encode(gemm, &section);
}

}  // namespace

bool accepts(std::span<const std::byte> input) {
  Choices choices(input);
  JobInput job;
  for (uint64_t i = 0; i < 3; ++i)
    job.regions.push_back({.address = (i + 1) << 16,
                           .size = kRegionBytes,
                           .flags = KAWARA_REGION_READ | (i > 0 ? KAWARA_REGION_WRITE : 0u),
                           .reserved0 = 0,
                           .reserved1 = 0});
  try {
    job.commands = command_of(choices);
  } catch (const Error& error) {
    promise(error.code() == Code::invalid_argument, "what can't be encoded is an invalid argument");
    return false;
  }
  if (!check_and_run(job)) return false;
  promise(hw::assemble(hw::disassemble(job.commands)) == job.commands, "what the chip accepts reads as text that gives the same bytes");
  return true;
}

// Found by trying: the first of the random inputs that make something the chip accepts, longer ones first.
std::vector<Seed> seeds() {
  constexpr size_t kWanted = 24;
  std::vector<Seed> result;
  std::mt19937 random(20240607);
  for (int round = 0; result.size() < kWanted && round < 200000; ++round) {
    Bytes bytes(round % 2 == 0 ? 60 : 100);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    if (accepts(bytes)) result.push_back({"random" + std::to_string(result.size()), bytes});
  }
  return result;
}

void mutate(Bytes& input, size_t most, std::mt19937& random) {
  const size_t at = input.empty() ? 0 : random() % input.size();
  switch (random() % 4) {
    case 0: input.insert(input.begin() + static_cast<ptrdiff_t>(at), static_cast<std::byte>(random())); break;
    case 1:
      if (!input.empty()) input.erase(input.begin() + static_cast<ptrdiff_t>(at));
      break;
    default:
      if (!input.empty()) input[at] = static_cast<std::byte>(random());
  }
  if (input.size() > most) input.resize(most);
}

}  // namespace kawara::fuzz
