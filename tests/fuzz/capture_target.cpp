// SPDX-License-Identifier: Apache-2.0
// A .kwj file from its bytes, but for the hash at its end, which is made right: parsed as far as its program's bytes. What is
// accepted has a table that is written and read back as it was.
#include <cstring>

#include "capture_file.h"
#include "fuzz/target.h"
#include "kawara/error.h"
#include "kawara/file/content_hash.h"
#include "program_file.h"

namespace kawara::fuzz {
namespace {

CaptureSizes sizes_of(const ParsedCapture& parsed) {
  CaptureSizes sizes{.program = parsed.program.size(), .inputs = {}, .outputs = {}};
  for (const auto& input : parsed.inputs) sizes.inputs.push_back(input.size());
  for (const auto& output : parsed.outputs) sizes.outputs.push_back(output.size());
  return sizes;
}

// Sections of zeros.
Bytes file_of(const CaptureHead& head, const CaptureSizes& sizes) {
  Bytes bytes = write_capture_head(head, sizes);
  const auto add = [&](uint64_t size) {
    bytes.resize(bytes.size() + page_gap(bytes.size()));
    bytes.resize(bytes.size() + size);
  };
  add(sizes.program);
  for (const uint64_t input : sizes.inputs) add(input);
  for (const uint64_t output : sizes.outputs) add(output);
  return bytes;
}

Bytes hashed(std::span<const std::byte> content) {
  Bytes file(content.begin(), content.end());
  file::ContentHash hash;
  hash.add(content);
  const auto value = hash.bytes();
  file.insert(file.end(), value.begin(), value.end());
  return file;
}

void spoil(CaptureHead& head, CaptureSizes& sizes, std::mt19937& random) {
  switch (random() % 6) {
    case 0: head.device.push_back(static_cast<char>(random())); break;
    case 1: head.executor.resize(random() % 8); break;
    case 2: sizes.program = random() % 3 ? 0 : awkward(random); break;
    case 3: sizes.inputs.push_back(random() % 3 ? 0 : awkward(random)); break;
    case 4: sizes.outputs.clear(); break;
    default:
      head.fault =
          Fault{.code = static_cast<uint32_t>(awkward(random)), .command = static_cast<uint32_t>(random()), .write = random() % 2 == 0};
      head.report = {};
  }
}

}  // namespace

bool accepts(std::span<const std::byte> input) {
  const Bytes file = hashed(input);
  try {
    const ParsedCapture parsed = parse_capture(file);
    const Bytes again = hashed(file_of(parsed.head, sizes_of(parsed)));
    const ParsedCapture reread = parse_capture(again);
    promise(hashed(file_of(reread.head, sizes_of(reread))) == again, "what was read is written to the same bytes, and read again");
    promise(reread.head.fault.has_value() == parsed.head.fault.has_value(), "a fault stays one");
    uint64_t bytes = parsed.program.size();
    for (const auto* sections : {&parsed.inputs, &parsed.outputs})
      for (const auto& section : *sections) bytes += section.size();
    promise(bytes <= file.size(), "no two sections are one");
    return true;
  } catch (const Error& error) {
    promise(error.code() == Code::invalid_capture || error.code() == Code::version_mismatch, "a wrong file is an invalid capture");
    return false;
  }
}

// With empty sections, because a fuzzer's inputs end where the first section begins.
std::vector<Seed> seeds() {
  CaptureHead head{.kawara = "0.1.0",
                   .device = "emulator:reference,config=k1",
                   .executor = "reference",
                   .computes_on = "",
                   .fault = {},
                   .report = {.commands = 3, .cycles = 99, .fidelity = {}}};
  const Bytes well = file_of(head, {.program = 0, .inputs = {}, .outputs = {}});
  head.report = {};
  head.fault = Fault{.code = 4, .engine = 2, .command = 64};
  return {{"well", well}, {"fault", file_of(head, {.program = 0, .inputs = {0, 0}, .outputs = {}})}};
}

// Half of the time a field of the table, so that the table around it stays right.
void mutate(Bytes& input, size_t most, std::mt19937& random) {
  if (random() % 2) {
    try {
      const Bytes file = hashed(input);
      const ParsedCapture parsed = parse_capture(file);
      CaptureHead head = parsed.head;
      CaptureSizes sizes = sizes_of(parsed);
      spoil(head, sizes, random);
      input = write_capture_head(head, sizes);
      if (input.size() > most) input.resize(most);
      return;
    } catch (const Error&) {  // spoilt already: bytes then
    }
  }
  if (input.empty()) return;
  const size_t at = random() % 4 ? random() % std::min<size_t>(input.size(), 512) : random() % input.size();
  const auto value = static_cast<uint32_t>(awkward(random));
  if (random() % 4 == 0)
    input.resize(at);
  else
    std::memcpy(&input[at / 4 * 4], &value, std::min<size_t>(4, input.size() - at / 4 * 4));
}

}  // namespace kawara::fuzz
