// SPDX-License-Identifier: Apache-2.0
#include "program_file.h"

#include <cstring>

#include <program_generated.h>

#include "kawara/error.h"

namespace kawara {
namespace {

constexpr uint32_t kFormatVersion = 1;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kTableBytesMax = uint64_t{1} << 30;  // FlatBuffers' offsets have 31 bits

uint64_t page_end(uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

uint64_t text_bytes(const ProgramContents& contents) {
  uint64_t bytes = contents.commands.size() + contents.report.size() + contents.target.size();
  for (const auto* tensors : {&contents.inputs, &contents.outputs}) {
    for (const TensorInfo& tensor : *tensors) bytes += tensor.name.size() + 8 * tensor.shape.size() + 64;
  }
  for (const DebugEntry& entry : contents.debug) bytes += entry.node.size() + entry.op.size() + 64;
  for (const auto& [key, value] : contents.metadata) bytes += key.size() + value.size() + 64;
  return bytes;
}

// Copies out of the verified table. Offsets of a hostile table may meet in one long string or vector many times over, so
// the sum of what is copied is bounded by the table's length; in an honest one nothing is shared.
class Reader {
 public:
  explicit Reader(uint64_t table_bytes) : left_(table_bytes) {}

  std::string text(const flatbuffers::String* string) {
    take(string->size());
    return string->str();
  }

  std::vector<TensorInfo> tensors(const flatbuffers::Vector<flatbuffers::Offset<file::Tensor>>& from) {
    std::vector<TensorInfo> tensors;
    for (const file::Tensor* tensor : from) {
      take(uint64_t{8} * tensor->shape()->size());
      tensors.push_back({.name = text(tensor->name()),
                         .dtype = static_cast<DType>(tensor->dtype()),
                         .shape = {tensor->shape()->begin(), tensor->shape()->end()},
                         .region = tensor->region(),
                         .size_bytes = tensor->size_bytes()});
    }
    return tensors;
  }

 private:
  void take(uint64_t bytes) {
    if (bytes > left_) throw fail(Code::invalid_program, "its parts overlap");
    left_ -= bytes;
  }
  uint64_t left_;
};

ProgramContents copy(const file::Program& table, uint64_t table_bytes) {
  Reader reader(table_bytes);
  ProgramContents contents;
  contents.target = reader.text(table.target());
  contents.isa_version = table.isa_version();
  const auto commands = std::as_bytes(std::span(table.commands()->data(), table.commands()->size()));
  contents.commands.assign(commands.begin(), commands.end());
  for (const file::Region* region : *table.regions()) {
    if (region->access() > 3) throw fail(Code::invalid_program, "region {}: unknown access", contents.regions.size());
    contents.regions.push_back({.role = static_cast<ProgramRegion::Role>(region->role()),
                                .index = region->index(),
                                .size_bytes = region->size_bytes(),
                                .readable = (region->access() & 1) != 0,
                                .writable = (region->access() & 2) != 0,
                                .alias_group = region->alias_group()});
  }
  contents.inputs = reader.tensors(*table.inputs());
  contents.outputs = reader.tensors(*table.outputs());
  for (const file::Debug* entry : *table.debug()) {
    contents.debug.push_back({.id = entry->id(), .node = reader.text(entry->node()), .op = reader.text(entry->op())});
  }
  for (const file::Metadata* entry : *table.metadata()) {
    contents.metadata.emplace_back(reader.text(entry->key()), reader.text(entry->value()));
  }
  contents.report = reader.text(table.report());
  return contents;
}

// Offsets of tensors, in the builder.
auto write_tensors(flatbuffers::FlatBufferBuilder& builder, std::span<const TensorInfo> tensors) {
  std::vector<flatbuffers::Offset<file::Tensor>> offsets;
  for (const TensorInfo& tensor : tensors) {
    // One statement each: the order of a call's arguments is the compiler's choice, and the order here is the bytes'.
    const auto name = builder.CreateString(tensor.name);
    const auto shape = builder.CreateVector(tensor.shape);
    offsets.push_back(file::CreateTensor(builder, name, static_cast<uint8_t>(tensor.dtype), shape, tensor.region, tensor.size_bytes));
  }
  return builder.CreateVector(offsets);
}

}  // namespace

std::vector<std::byte> write_program_head(const ProgramContents& contents, uint64_t weights_bytes) {
  if (text_bytes(contents) > kTableBytesMax) throw fail(Code::invalid_program, "names, commands and report exceed 1 GiB");
  flatbuffers::FlatBufferBuilder builder;
  std::vector<file::Region> regions;
  for (const ProgramRegion& region : contents.regions) {
    regions.emplace_back(region.size_bytes, region.index, region.alias_group, static_cast<uint8_t>(region.role),
                         static_cast<uint8_t>((region.readable ? 1 : 0) | (region.writable ? 2 : 0)));
  }
  std::vector<flatbuffers::Offset<file::Debug>> debug;
  for (const DebugEntry& entry : contents.debug) {
    const auto node = builder.CreateString(entry.node);
    const auto op = builder.CreateString(entry.op);
    debug.push_back(file::CreateDebug(builder, entry.id, node, op));
  }
  std::vector<flatbuffers::Offset<file::Metadata>> metadata;
  for (const auto& [key, value] : contents.metadata) {
    const auto key_offset = builder.CreateString(key);
    const auto value_offset = builder.CreateString(value);
    metadata.push_back(file::CreateMetadata(builder, key_offset, value_offset));
  }
  const auto target = builder.CreateString(contents.target);
  const auto commands = builder.CreateVector(reinterpret_cast<const uint8_t*>(contents.commands.data()), contents.commands.size());
  const auto region_vector = builder.CreateVectorOfStructs(regions);
  const auto inputs = write_tensors(builder, contents.inputs);
  const auto outputs = write_tensors(builder, contents.outputs);
  const auto debug_vector = builder.CreateVector(debug);
  const auto metadata_vector = builder.CreateVector(metadata);
  const auto report = builder.CreateString(contents.report);
  file::FinishSizePrefixedProgramBuffer(
      builder, file::CreateProgram(builder, kFormatVersion, contents.isa_version, target, commands, region_vector, inputs, outputs,
                                   debug_vector, metadata_vector, report, weights_bytes));
  const auto table = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  std::vector<std::byte> head(table.begin(), table.end());
  head.resize(page_end(head.size()));
  return head;
}

ParsedProgram parse_program(std::span<const std::byte> file) {
  constexpr size_t kIdentified = 12;  // size, root, identifier
  if (file.size() < kIdentified || std::memcmp(file.data() + 8, file::ProgramIdentifier(), 4) != 0) {
    throw fail(Code::invalid_program, "it does not start as a .kwr file does");
  }
  uint32_t prefix = 0;
  std::memcpy(&prefix, file.data(), sizeof prefix);
  const uint64_t table_bytes = uint64_t{4} + prefix;
  if (table_bytes > file.size() || table_bytes > kTableBytesMax + kPage) {
    throw fail(Code::invalid_program, "its table of {} bytes does not fit the file of {}", table_bytes, file.size());
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(file.data());
  flatbuffers::Verifier verifier(bytes, table_bytes);
  if (!file::VerifySizePrefixedProgramBuffer(verifier)) throw fail(Code::invalid_program, "its table is damaged");
  const file::Program& table = *file::GetSizePrefixedProgram(bytes);
  if (table.format_version() != kFormatVersion) {
    throw fail(Code::version_mismatch, "its format has version {}, this kawara reads {}", table.format_version(), kFormatVersion);
  }
  const uint64_t weights_offset = page_end(table_bytes);
  if (weights_offset > file.size() || file.size() - weights_offset != table.weights_bytes()) {
    throw fail(Code::invalid_program, "{} bytes of weights are due at byte {}, but the file has {} bytes", table.weights_bytes(),
               weights_offset, file.size());
  }
  return {copy(table, table_bytes), file.subspan(weights_offset)};
}

}  // namespace kawara
