// SPDX-License-Identifier: Apache-2.0
// A .kwr file from its bytes: parsed and checked. What is accepted is written and read back as it was.
#include "emit.h"

#include "fuzz/target.h"
#include "hw/sample_commands.h"
#include "mistake.h"
#include "program_check.h"
#include "program_file.h"

namespace kawara::fuzz {
namespace {

Bytes file_of(const ProgramContents& contents, std::span<const std::byte> weights, std::span<const std::byte> constants = {}) {
  Bytes bytes = write_program_head(contents, weights.size(), constants.size());
  bytes.insert(bytes.end(), weights.begin(), weights.end());
  bytes.resize(bytes.size() + (constants.empty() ? 0 : page_gap(weights.size())));
  bytes.insert(bytes.end(), constants.begin(), constants.end());
  return bytes;
}

ProgramContents contents_of(const std::string& target) {
  ProgramContents contents;
  contents.target = target;
  contents.isa_version = 1;
  contents.commands = hw::relu();
  contents.regions = {
      {.role = ProgramRegion::Role::weights, .index = 0, .size_bytes = 32, .readable = true, .writable = false, .alias_group = 0},
      {.role = ProgramRegion::Role::arena, .index = 0, .size_bytes = 64, .readable = true, .writable = true, .alias_group = 0},
      {.role = ProgramRegion::Role::input, .index = 0, .size_bytes = 32, .readable = true, .writable = false, .alias_group = 0},
      {.role = ProgramRegion::Role::output, .index = 0, .size_bytes = 32, .readable = true, .writable = true, .alias_group = 0}};
  contents.inputs = {{.name = "x", .dtype = DType::f32, .shape = {2, 4}, .region = 2, .size_bytes = 32}};
  contents.outputs = {{.name = "y", .dtype = DType::f32, .shape = {8}, .region = 3, .size_bytes = 32}};
  contents.debug = {{.id = 7, .node = "rectify", .op = "Relu"}};
  contents.metadata = {{"author", "nobody"}};
  contents.report = "{}";
  return contents;
}

void spoil_text(std::string& text, std::mt19937& random) {
  if (text.empty() || random() % 2)
    text.push_back(static_cast<char>(random()));
  else
    text.resize(random() % text.size());
}

void spoil_tensors(std::vector<TensorInfo>& tensors, std::mt19937& random) {
  if (tensors.empty()) return;
  TensorInfo& tensor = tensors[random() % tensors.size()];
  switch (random() % 6) {
    case 0: spoil_text(tensor.name, random); break;
    case 1: tensor.dtype = static_cast<DType>(random() % 32); break;
    case 2: tensor.shape.push_back(static_cast<int64_t>(awkward(random))); break;
    case 3:
      if (!tensor.shape.empty()) tensor.shape[random() % tensor.shape.size()] = static_cast<int64_t>(awkward(random));
      break;
    case 4: tensor.region = static_cast<uint32_t>(awkward(random)); break;
    default: tensors.push_back(tensor);
  }
  if (random() % 4 == 0) tensors[0].size_bytes = awkward(random);
}

void spoil_contents(ProgramContents& contents, std::mt19937& random) {
  switch (random() % 9) {
    case 0: spoil_text(contents.target, random); break;
    case 1: contents.isa_version = static_cast<uint32_t>(awkward(random)); break;
    case 2: contents.commands.resize(random() % 3 ? random() % 512 / 16 * 16 : random() % 512); break;
    case 3:
    case 4:
      if (!contents.regions.empty()) {
        ProgramRegion& region = contents.regions[random() % contents.regions.size()];
        switch (random() % 5) {
          case 0: region.role = static_cast<ProgramRegion::Role>(random() % 7); break;
          case 1: region.index = static_cast<uint32_t>(awkward(random)); break;
          case 2: region.size_bytes = awkward(random); break;
          case 3: region.alias_group = static_cast<uint16_t>(awkward(random)); break;
          default: contents.regions.push_back(region);
        }
      }
      break;
    case 5: spoil_tensors(contents.inputs, random); break;
    case 6: spoil_tensors(contents.outputs, random); break;
    case 7: contents.debug.push_back({static_cast<uint32_t>(awkward(random)), "node", "Op"}); break;
    default: spoil_text(contents.report, random);
  }
}

}  // namespace

bool accepts(std::span<const std::byte> input) {
  // Aligned as a mapped file is.
  const Bytes file(input.begin(), input.end());
  try {
    const ParsedProgram parsed = parse_program(file);
    check_program(parsed.contents, parsed.weights.size(), parsed.constants.size());
    const Bytes written = file_of(parsed.contents, parsed.weights, parsed.constants);
    const ParsedProgram again = parse_program(written);
    check_program(again.contents, again.weights.size(), again.constants.size());
    promise(file_of(again.contents, again.weights, again.constants) == written,
            "what was read is written to the same bytes, and read again");
    compiler::find_mistake(parsed.contents.commands, parsed.contents.regions, parsed.contents.debug, compiler::find_target("k1"));
    for (const std::vector<TensorInfo>& tensors : {parsed.contents.inputs, parsed.contents.outputs})
      for (const TensorInfo& tensor : tensors)
        promise(tensor.size_bytes <= parsed.contents.regions.at(tensor.region).size_bytes, "a tensor fits its region");
    return true;
  } catch (const Error& error) {
    promise(error.code() == Code::invalid_program || error.code() == Code::version_mismatch, "a wrong file is an invalid program");
    return false;
  }
}

std::vector<Seed> seeds() {
  ProgramContents empty;
  empty.target = "k1";
  const Bytes weights(32, std::byte{5});
  return {{"relu", file_of(contents_of("k1"), weights)}, {"empty", file_of(empty, {})}};
}

// Half of the time a field of the contents, so that the table around it stays right.
void mutate(Bytes& input, size_t most, std::mt19937& random) {
  if (random() % 2) {
    try {
      const Bytes file = input;
      ParsedProgram parsed = parse_program(file);
      spoil_contents(parsed.contents, random);
      input = file_of(parsed.contents, parsed.weights, parsed.constants);
      if (input.size() > most) input.resize(most);
      return;
    } catch (const Error&) {  // spoilt already: bytes then
    }
  }
  if (input.empty()) return;
  const size_t at = random() % 4 ? random() % std::min<size_t>(input.size(), 1024) : random() % input.size();
  uint32_t value = static_cast<uint32_t>(awkward(random));
  if (random() % 4 == 0)
    input.resize(at);
  else
    std::memcpy(&input[at / 4 * 4], &value, std::min<size_t>(4, input.size() - at / 4 * 4));
}

}  // namespace kawara::fuzz
