// SPDX-License-Identifier: Apache-2.0
#include "emit.h"

#include <algorithm>
#include <cstring>
#include <map>

#include <nlohmann/json.hpp>

#include "kawara/error.h"
#include "kawara/hw/check.h"
#include "kawara/hw/encode.h"

namespace kawara::compiler {

namespace {

constexpr kawara_config kTargets[] = {
#define CONFIG(name, spelled, local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s) \
  {spelled, local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s},
#include "kawara/hw/configs.def"
};

constexpr uint32_t kIsaVersion = 1;  // register ISA_VERSION of the chips that this compiler knows
constexpr uint64_t kRegionSpacing = uint64_t{1} << 12;

using Role = ProgramRegion::Role;

class Emitter {
 public:
  Emitter(const Graph& graph, const Commands& model, const Allocation& allocation, const kawara_config& target,
          const PortableGraph& portable)
      : graph_(graph), model_(model), allocation_(allocation), target_(target), portable_(portable) {}

  Program emit() {
    const uint64_t local = allocation_.arena_bytes + allocation_.weights_bytes, most = uint64_t{target_.local_mib} << 20;
    if (local > most) throw fail(Code::out_of_memory, "the model needs {} bytes of local memory, '{}' has {}", local, target_.name, most);
    contents_.target = target_.name;
    contents_.isa_version = kIsaVersion;
    contents_.metadata = graph_.metadata;
    add_regions();
    for (const Command& command : model_.commands) add_command(command);
    contents_.commands = commands_.bytes();
    add_weights();
    check();
    contents_.report = report();
    return Program(std::move(contents_));
  }

 private:
  uint32_t add_region(Role role, uint32_t index, uint64_t size, bool writable) {
    contents_.regions.push_back(
        {.role = role, .index = index, .size_bytes = size, .readable = true, .writable = writable, .alias_group = 0});
    return static_cast<uint32_t>(contents_.regions.size() - 1);
  }

  void add_regions() {
    weights_ = add_region(Role::weights, 0, allocation_.weights_bytes, false);
    arena_ = add_region(Role::arena, 0, allocation_.arena_bytes, true);
    const auto add_tensors = [&](const std::vector<ValueId>& values, Role role, std::vector<TensorInfo>& infos) {
      for (uint32_t i = 0; i < values.size(); ++i) {
        const Value& value = graph_.values[values[i]];
        if (std::ranges::count(infos, value.name, &TensorInfo::name))
          throw fail(Code::invalid_model, "two inputs or outputs are called '{}'", value.name);
        const uint64_t size = bytes_of(value.dtype, static_cast<uint64_t>(element_count(*value.shape)));
        infos.push_back({.name = value.name,
                         .dtype = value.dtype,
                         .shape = *value.shape,
                         .region = add_region(role, i, size, role == Role::output),
                         .size_bytes = size});
      }
    };
    add_tensors(graph_.inputs, Role::input, contents_.inputs);
    add_tensors(graph_.outputs, Role::output, contents_.outputs);
  }

  // From an index into the command's buffers to a region and an offset in it.
  void resolve(const Command& command, uint64_t& operand) const {
    if (operand == KAWARA_OPERAND_ABSENT) return;
    const uint32_t id = command.buffers.at(kawara_operand_region(operand));
    const Buffer& buffer = model_.buffers[id];
    uint32_t region = 0;
    switch (buffer.role) {
      case Buffer::Role::weights: region = weights_; break;
      case Buffer::Role::arena: region = arena_; break;
      case Buffer::Role::input: region = contents_.inputs[buffer.index].region; break;
      case Buffer::Role::output: region = contents_.outputs[buffer.index].region; break;
    }
    operand = hw::operand(region, allocation_.offsets[id] + kawara_operand_offset(operand));
  }

  void add_command(const Command& command) {
    auto section = command.section;
    if (section)
      for (kawara_stream& stream : section->streams) resolve(command, stream.data);
    std::visit(
        [&](auto body) {
          if constexpr (requires { body.group_table; }) {
            for (kawara_matrix* matrix : {&body.a, &body.b}) resolve(command, matrix->data);
          } else if constexpr (requires { body.kernel; }) {
            resolve(command, body.a);
            resolve(command, body.b);
          } else if constexpr (requires { body.src_extent; }) {
            resolve(command, body.src);
            resolve(command, body.dst);
          }
          body.header.engine = static_cast<uint8_t>(command.engine);
          body.header.debug_id = command.debug_id;
          std::ranges::copy(command.waits, body.header.wait);
          commands_.append(hw::encode(body, section ? &*section : nullptr));
        },
        command.body);
    // Commands of one node share its entry: copies in front of it, or the parts of a group that was split.
    const bool known = std::ranges::any_of(contents_.debug, [&](const DebugEntry& entry) { return entry.id == command.debug_id; });
    if (!known) contents_.debug.push_back({.id = command.debug_id, .node = command.node, .op = command.operators});
  }

  void add_weights() {
    std::vector<StoredConstant> stored;
    contents_.weights.resize(allocation_.weights_bytes);
    for (size_t i = 0; i < model_.buffers.size(); ++i) {
      if (model_.buffers[i].role != Buffer::Role::weights || allocation_.offsets[i] == Allocation::kUnused) continue;
      std::ranges::copy(model_.buffers[i].constant.bytes, contents_.weights.begin() + static_cast<ptrdiff_t>(allocation_.offsets[i]));
      stored.push_back({model_.buffers[i].constant.bytes, allocation_.offsets[i]});
    }
    // A graph that comes with groups has the chip's limits in it already: its program carries none.
    const bool portable = std::ranges::all_of(portable_.graph.nodes, [](const Node& node) { return node.body.empty(); });
    if (portable) write_portable_graph(portable_.graph, stored, contents_);
  }

  // What the chip will check when a job starts: a program that it refuses must not leave the compiler.
  void check() const {
    std::vector<kawara_region> regions;
    uint64_t address = KAWARA_VA_GUARD;
    for (const ProgramRegion& region : contents_.regions) {
      kawara_region entry{};
      entry.address = address;
      entry.size = region.size_bytes;
      entry.flags = KAWARA_REGION_MEMORY | KAWARA_REGION_READ | (region.writable ? KAWARA_REGION_WRITE : 0);
      regions.push_back(entry);
      address += (region.size_bytes / kRegionSpacing + 1) * kRegionSpacing;
    }
    const kawara_check_limits limits{.features = 0,
                                     .sram_bytes = uint64_t{target_.sram_kib} << 10,
                                     .config = &target_,
                                     .segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2};
    kawara_check_fault fault{};
    if (kawara_check(contents_.commands.data(), contents_.commands.size(), regions.data(), static_cast<uint32_t>(regions.size()), &limits,
                     nullptr, &fault) >= 0)
      return;
    const auto entry = std::ranges::find(contents_.debug, fault.debug_id, &DebugEntry::id);
    const std::string node = entry == contents_.debug.end() ? "" : entry->node;
    throw Error(Code::internal,
                fmt::format("the command of '{}' at byte {} breaks a rule of the chip: {}, field at byte {}", node, fault.command,
                            spelled(fault.code), fault.field),
                node);
  }

  static std::string_view spelled(uint32_t fault) {
    switch (fault) {
#define FAULT_ROW(code, name, cause, remedy) \
  case code: return #name;
#include "kawara/hw/faults.def"
      default: return "unknown";
    }
  }

  std::string report() const {
    static constexpr const char* kEngines[KAWARA_ENGINE_COUNT] = {"control", "matrix", "vector", "dma_in", "dma_out"};
    std::map<std::string, uint64_t> engines;
    uint64_t macs = 0, waits = 0;
    for (const Command& command : model_.commands) {
      ++engines[kEngines[command.engine]];
      macs += command.macs;
      waits += command.waits.size();
    }
    nlohmann::ordered_json json;
    json["target"] = target_.name;
    if (portable_.origin) json["relowered_from"] = {{"target", portable_.origin->target}, {"isa_version", portable_.origin->isa_version}};
    json["groups"] = graph_.nodes.size();
    json["commands"] = model_.commands.size();
    for (const auto& [name, count] : engines) json["commands_by_engine"][name] = count;
    json["waits"] = waits;
    json["multiply_accumulates"] = macs;
    json["command_bytes"] = contents_.commands.size();
    json["weights_bytes"] = allocation_.weights_bytes;
    json["arena_bytes"] = allocation_.arena_bytes;
    json["arena_bound_bytes"] = allocation_.live_bytes_max;
    json["arena_over_bound_bytes"] = allocation_.arena_bytes - allocation_.live_bytes_max;
    return json.dump(2);
  }

  const Graph& graph_;
  const Commands& model_;
  const Allocation& allocation_;
  const kawara_config& target_;
  const PortableGraph& portable_;
  ProgramContents contents_;
  hw::Commands commands_;
  uint32_t weights_ = 0, arena_ = 0;
};

}  // namespace

const kawara_config& find_target(std::string_view name) {
  for (const kawara_config& target : kTargets)
    if (name == target.name) return target;
  std::string names;
  for (const kawara_config& target : kTargets) names += (names.empty() ? "" : ", ") + std::string(target.name);
  throw fail(Code::invalid_argument, "target '{}' is not one of {}", name, names);
}

Program emit(const Graph& graph, const Commands& model, const Allocation& allocation, const kawara_config& target,
             const PortableGraph& portable) {
  return Emitter(graph, model, allocation, target, portable).emit();
}

}  // namespace kawara::compiler
