// SPDX-License-Identifier: Apache-2.0
#include "capture_file.h"

#include <cstring>

#include <capture_generated.h>

#include "kawara/capture.h"
#include "kawara/error.h"
#include "kawara/file/content_hash.h"
#include "kawara/file/table_reader.h"
#include "kawara/utf8.h"
#include "program_file.h"

namespace kawara {
namespace {

constexpr uint64_t kTableBytesMax = uint64_t{1} << 20;

// The sections of a file, one after the other, while its bytes last.
class Sections {
 public:
  Sections(std::span<const std::byte> file, uint64_t at) : file_(file), at_(at) {}

  std::span<const std::byte> take(uint64_t bytes) {
    const uint64_t gap = page_gap(at_), left = file_.size() - at_;
    if (gap > left || bytes > left - gap) throw fail(Code::invalid_capture, "a section of {} bytes is due, but the file ends", bytes);
    for (const std::byte byte : file_.subspan(at_, gap))
      if (byte != std::byte{0}) throw fail(Code::invalid_capture, "there is something between its sections");
    at_ += gap + bytes;
    return file_.subspan(at_ - bytes, bytes);
  }
  uint64_t left() const { return file_.size() - at_; }

 private:
  std::span<const std::byte> file_;
  uint64_t at_;
};

const file::Capture& verified(std::span<const std::byte> file, uint64_t& table_bytes) {
  constexpr size_t kIdentified = 12;  // size, root, identifier
  if (file.size() < kIdentified || std::memcmp(file.data() + 8, file::CaptureIdentifier(), 4) != 0)
    throw fail(Code::invalid_capture, "it does not start as a .kwj file does");
  uint32_t prefix = 0;
  std::memcpy(&prefix, file.data(), sizeof prefix);
  table_bytes = uint64_t{4} + prefix;
  if (table_bytes > file.size() || table_bytes > kTableBytesMax)
    throw fail(Code::invalid_capture, "its table of {} bytes does not fit the file of {}", table_bytes, file.size());
  const auto* bytes = reinterpret_cast<const uint8_t*>(file.data());
  flatbuffers::Verifier verifier(bytes, table_bytes);
  if (!file::VerifySizePrefixedCaptureBuffer(verifier)) throw fail(Code::invalid_capture, "its table is damaged");
  const file::Capture& table = *file::GetSizePrefixedCapture(bytes);
  if (table.format_version() != Capture::kFormatVersion)
    throw fail(Code::version_mismatch, "its format has version {}, this kawara reads {}: {}", table.format_version(),
               Capture::kFormatVersion,
               table.format_version() < Capture::kFormatVersion ? "capture the job again" : "it takes a newer kawara");
  return table;
}

// The file but for the hash at its end, once that is right.
std::span<const std::byte> hashed(std::span<const std::byte> file) {
  file::ContentHash hash;
  const auto content = file.first(file.size() - std::min(file.size(), sizeof(file::ContentHash::Bytes)));
  hash.add(content);
  if (!std::ranges::equal(hash.bytes(), file.subspan(content.size())))
    throw fail(Code::invalid_capture, "its content is not what was written: it is damaged, or not all of it is there");
  return content;
}

CaptureHead read_head(const file::Capture& table, file::TableReader& reader) {
  CaptureHead head;
  const auto text = [&](const flatbuffers::String* string) {
    std::string read = reader.text(string);
    if (!is_utf8(read)) throw fail(Code::invalid_capture, "a name in it is not UTF-8");
    return read;
  };
  head.kawara = text(table.kawara());
  head.device = text(table.device());
  head.executor = text(table.executor());
  head.computes_on = text(table.computes_on());
  if (table.arena() > 1) throw fail(Code::invalid_capture, "its arena is in an unknown state");
  head.arena_was_zero = table.arena() == 0;
  if (!table.fault() == !table.record())
    throw fail(Code::invalid_capture, "a job ends by a fault or with a record, and this by both or none");
  if (const auto* fault = table.fault())
    head.fault = {.code = fault->code(),
                  .engine = fault->engine(),
                  .command = fault->command(),
                  .debug_id = fault->debug_id(),
                  .field = fault->field(),
                  .write = fault->write() != 0,
                  .address = fault->address()};
  if (const auto* record = table.record())
    head.report = {.commands = record->commands(),
                   .cycles = record->cycles(),
                   .nan = record->nan(),
                   .inf = record->inf(),
                   .saturated = record->saturated(),
                   .dropped = record->dropped(),
                   .fidelity = {}};
  return head;
}

}  // namespace

std::vector<std::byte> write_capture_head(const CaptureHead& head, const CaptureSizes& sizes) {
  flatbuffers::FlatBufferBuilder builder;
  // One statement each: the order of a call's arguments is the compiler's choice, and the order here is the bytes'.
  const auto kawara = builder.CreateString(head.kawara);
  const auto device = builder.CreateString(head.device);
  const auto executor = builder.CreateString(head.executor);
  const auto computes_on = builder.CreateString(head.computes_on);
  const auto inputs = builder.CreateVector(sizes.inputs);
  const auto outputs = builder.CreateVector(sizes.outputs);
  std::optional<file::CapturedFault> fault;
  if (head.fault)
    fault.emplace(head.fault->address, head.fault->code, head.fault->engine, head.fault->command, head.fault->debug_id, head.fault->field,
                  head.fault->write ? 1 : 0);
  const file::CapturedRecord record(head.report.cycles, head.report.commands, head.report.nan, head.report.inf, head.report.saturated,
                                    head.report.dropped);
  file::FinishSizePrefixedCaptureBuffer(
      builder, file::CreateCapture(builder, Capture::kFormatVersion, kawara, device, executor, computes_on, head.arena_was_zero ? 0 : 1,
                                   fault ? &*fault : nullptr, fault ? nullptr : &record, sizes.program, inputs, outputs));
  const auto table = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  std::vector<std::byte> bytes(table.begin(), table.end());
  bytes.resize(bytes.size() + page_gap(bytes.size()));
  return bytes;
}

ParsedCapture parse_capture(std::span<const std::byte> file) {
  uint64_t table_bytes = 0;
  const file::Capture& table = verified(file, table_bytes);
  const auto content = hashed(file);
  if (table_bytes > content.size()) throw fail(Code::invalid_capture, "its table reaches into its hash");
  file::TableReader reader(table_bytes);
  ParsedCapture parsed;
  try {
    parsed.head = read_head(table, reader);
    const auto input_bytes = reader.list<uint64_t>(*table.input_bytes()), output_bytes = reader.list<uint64_t>(*table.output_bytes());
    Sections sections(content, table_bytes);
    parsed.program = sections.take(table.program_bytes());
    for (const uint64_t bytes : input_bytes) parsed.inputs.push_back(sections.take(bytes));
    for (const uint64_t bytes : output_bytes) parsed.outputs.push_back(sections.take(bytes));
    if (sections.left() != 0) throw fail(Code::invalid_capture, "{} bytes stand behind its last section", sections.left());
  } catch (const Error& error) {
    if (error.code() != Code::invalid_program) throw;
    throw fail(Code::invalid_capture, "{}", error.what());  // of the reader, which knows programs
  }
  return parsed;
}

}  // namespace kawara
