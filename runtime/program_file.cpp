// SPDX-License-Identifier: Apache-2.0
#include "program_file.h"

#include <cstring>

#include <program_generated.h>

#include "kawara/error.h"
#include "kawara/file/table_reader.h"

namespace kawara {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kTableBytesMax = uint64_t{1} << 30;  // FlatBuffers' offsets have 31 bits

// Saturates: the sizes of a hostile file may be anything.
uint64_t page_end(uint64_t bytes) { return bytes > ~uint64_t{0} - kPage ? ~uint64_t{0} : (bytes + kPage - 1) / kPage * kPage; }

uint64_t text_bytes(const ProgramContents& contents) {
  uint64_t bytes = contents.commands.size() + contents.graph.size() + contents.report.size() + contents.target.size();
  for (const auto* tensors : {&contents.inputs, &contents.outputs}) {
    for (const TensorInfo& tensor : *tensors) bytes += tensor.name.size() + 8 * tensor.shape.size() + 64;
  }
  for (const DebugEntry& entry : contents.debug) bytes += entry.node.size() + entry.op.size() + 64;
  for (const auto& [key, value] : contents.metadata) bytes += key.size() + value.size() + 64;
  return bytes;
}

std::vector<TensorInfo> read_tensors(file::TableReader& reader, const flatbuffers::Vector<flatbuffers::Offset<file::Tensor>>& from) {
  std::vector<TensorInfo> tensors;
  for (const file::Tensor* tensor : from) {
    std::vector<int64_t> shape = reader.list<int64_t>(*tensor->shape());
    tensors.push_back({.name = reader.text(tensor->name()),
                       .dtype = static_cast<DType>(tensor->dtype()),
                       .shape = std::move(shape),
                       .region = tensor->region(),
                       .size_bytes = tensor->size_bytes()});
  }
  return tensors;
}

ProgramContents copy(const file::Program& table, uint64_t table_bytes) {
  file::TableReader reader(table_bytes);
  ProgramContents contents;
  contents.target = reader.text(table.target());
  contents.isa_version = table.isa_version();
  contents.commands = reader.list<std::byte>(*table.commands());
  // The verifier sees to the alignment of a vector's length, not of its structs. Without any there is nothing to align.
  if (table.regions()->size() != 0 && reinterpret_cast<uintptr_t>(table.regions()->Data()) % alignof(file::Region) != 0)
    throw fail(Code::invalid_program, "its table of regions is misaligned");
  for (const file::Region* region : *table.regions()) {
    if (region->access() > 3) throw fail(Code::invalid_program, "region {}: unknown access", contents.regions.size());
    contents.regions.push_back({.role = static_cast<ProgramRegion::Role>(region->role()),
                                .index = region->index(),
                                .size_bytes = region->size_bytes(),
                                .readable = (region->access() & 1) != 0,
                                .writable = (region->access() & 2) != 0,
                                .alias_group = region->alias_group()});
  }
  contents.inputs = read_tensors(reader, *table.inputs());
  contents.outputs = read_tensors(reader, *table.outputs());
  for (const file::Debug* entry : *table.debug()) {
    contents.debug.push_back({.id = entry->id(), .node = reader.text(entry->node()), .op = reader.text(entry->op())});
  }
  for (const file::Metadata* entry : *table.metadata()) {
    contents.metadata.emplace_back(reader.text(entry->key()), reader.text(entry->value()));
  }
  contents.report = reader.text(table.report());
  if (table.graph()) contents.graph = reader.list<std::byte>(*table.graph());
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

std::vector<std::byte> write_program_head(const ProgramContents& contents, uint64_t weights_bytes, uint64_t constants_bytes) {
  if (text_bytes(contents) > kTableBytesMax) throw fail(Code::invalid_program, "names, commands, graph and report exceed 1 GiB");
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
  const auto graph = builder.CreateVector(reinterpret_cast<const uint8_t*>(contents.graph.data()), contents.graph.size());
  file::FinishSizePrefixedProgramBuffer(
      builder, file::CreateProgram(builder, Program::kFormatVersion, contents.isa_version, target, commands, region_vector, inputs, outputs,
                                   debug_vector, metadata_vector, report, weights_bytes, graph, constants_bytes));
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
  if (table.format_version() != Program::kFormatVersion) {
    throw fail(Code::version_mismatch, "its format has version {}, this kawara reads {}: {}", table.format_version(),
               Program::kFormatVersion,
               table.format_version() < Program::kFormatVersion ? "compile the model again" : "it takes a newer kawara");
  }
  const uint64_t weights_offset = page_end(table_bytes), weights_bytes = table.weights_bytes();
  const uint64_t constants_bytes = table.constants_bytes();
  const uint64_t weights_extent = constants_bytes ? page_end(weights_bytes) : weights_bytes;
  if (weights_offset > file.size() || weights_extent > file.size() - weights_offset ||
      file.size() - weights_offset - weights_extent != constants_bytes) {
    throw fail(Code::invalid_program, "{} bytes of weights and {} of constants are due at byte {}, but the file has {} bytes",
               weights_bytes, constants_bytes, weights_offset, file.size());
  }
  return {copy(table, table_bytes), file.subspan(weights_offset, weights_bytes), file.subspan(weights_offset + weights_extent)};
}

uint64_t page_gap(uint64_t bytes) { return page_end(bytes) - bytes; }

}  // namespace kawara
