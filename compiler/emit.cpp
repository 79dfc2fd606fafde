// SPDX-License-Identifier: Apache-2.0
#include "emit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "encode_command.h"
#include "kawara/error.h"
#include "kawara/file/program_regions.h"
#include "kawara/hw/configs.h"
#include "kawara/hw/cost.h"
#include "kawara/hw/encode.h"
#include "kawara/hw/fidelity.h"
#include "kawara/hw/rows.h"
#include "mistake.h"

namespace kawara::compiler {

namespace {

using Role = ProgramRegion::Role;

class Emitter {
 public:
  Emitter(const Graph& graph, const Commands& model, const Allocation& allocation, const kawara_config& target,
          const PortableGraph& portable)
      : graph_(graph), model_(model), allocation_(allocation), target_(target), portable_(portable) {}

  Program emit(const Waiting& waiting) {
    const uint64_t local = allocation_.arena_bytes + allocation_.weights_bytes, most = uint64_t{target_.local_mib} << 20;
    if (local > most) throw fail(Code::out_of_memory, "the model needs {} bytes of local memory, '{}' has {}", local, target_.name, most);
    contents_.target = target_.name;
    contents_.isa_version = hw::kIsaVersion;
    contents_.metadata = graph_.metadata;
    add_regions();
    waiting.look();
    for (const Command& command : model_.commands) add_command(command);
    contents_.commands = commands_.bytes();
    waiting.look();
    add_weights();
    waiting.look();
    check();
    waiting.look();
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
    if (allocation_.sram_bytes > 0) sram_ = add_region(Role::sram, 0, allocation_.sram_bytes, true);
  }

  uint64_t locate(uint32_t id) const {
    const Buffer& buffer = model_.buffers[id];
    uint32_t region = 0;
    switch (buffer.role) {
      case Buffer::Role::weights: region = weights_; break;
      case Buffer::Role::arena: region = allocation_.in_sram[id] ? sram_ : arena_; break;
      case Buffer::Role::input: region = contents_.inputs[buffer.index].region; break;
      case Buffer::Role::output: region = contents_.outputs[buffer.index].region; break;
    }
    return hw::operand(region, allocation_.offsets[id]);
  }

  void add_command(const Command& command) {
    commands_.append(encode(command, [this](uint32_t buffer) { return locate(buffer); }));
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

  // A program that the chip refuses, or that it runs to other results each time, must not leave the compiler.
  void check() const {
    if (auto mistake = find_mistake(contents_.commands, contents_.regions, contents_.debug, target_))
      throw Error(Code::internal, mistake->message, mistake->node);
  }

  // What the chip's clock will count for the program as it is.
  kawara_job_cost cost() const {
    std::vector<uint8_t> memories(contents_.regions.size());
    std::ranges::transform(contents_.regions, memories.begin(), file::memory_of);
    const kawara_cost_view view{
        .config = &target_, .regions = nullptr, .n_regions = static_cast<uint32_t>(memories.size()), .memories = memories.data()};
    kawara_job_cost job{};
    kawara_cost_job(contents_.commands.data(), commands_.offsets().data(), static_cast<uint32_t>(commands_.offsets().size()), &view, &job,
                    nullptr);
    return job;
  }

  void report_time(nlohmann::ordered_json& json) const {
    const kawara_job_cost job = cost();
    json["predicted_cycles"] = job.cycles;
    for (size_t i = 0; i < KAWARA_ENGINE_COUNT; ++i)
      if (job.busy[i] > 0) json["busy_percent"][hw::engine_words[i]] = std::round(1000.0 * double(job.busy[i]) / double(job.cycles)) / 10;
    json["segments"] = 1 + std::ranges::count(model_.commands, true, &Command::switch_point);
  }

  void report_memory(nlohmann::ordered_json& json) const {
    const auto place = [&](const std::string& name, uint64_t bytes, uint64_t bound, const Minimum& minimum) {
      json[name + "_bytes"] = bytes;
      json[name + "_bound_bytes"] = bound;
      json[name + "_over_bound_bytes"] = bytes - bound;
      json[name + "_proof"] = describe(minimum, bytes, bound);
    };
    json["weights_bytes"] = allocation_.weights_bytes;
    if (const uint64_t saved = narrow_operand_bytes()) json["weights_in_f32_bytes"] = allocation_.weights_bytes + saved;
    place("arena", allocation_.arena_bytes, allocation_.arena_bound_bytes, allocation_.arena_minimum);
    place("sram", allocation_.sram_bytes, allocation_.sram_bound_bytes, allocation_.sram_minimum);
    json["traffic_kept_off_local_memory_bytes"] = allocation_.traffic_kept_bytes;
  }

  // What a user may expect of the numbers, wherever the program runs.
  void report_fidelity(nlohmann::ordered_json& json) const {
    kawara_fidelity fidelity;
    kawara_fidelity_of_job(contents_.commands.data(), contents_.commands.size(), &fidelity);
    json["fidelity"] = {{"exact", fidelity.exact},
                        {"bounded", fidelity.bounded},
                        {"bound_ulp", fidelity.bounded_ulp_times_1000 / 1000.0},
                        {"device_dependent", fidelity.device_dependent},
                        {"depth_max", fidelity.depth_max}};
  }

  // Both operands of a matrix command: where in the command they lie, and as what.
  static std::vector<std::pair<uint64_t, DType>> factors_of(const Command& command) {
    if (const auto* gemm = std::get_if<kawara_gemm>(&command.body))
      return {{gemm->a.data, static_cast<DType>(gemm->a.dtype)}, {gemm->b.data, static_cast<DType>(gemm->b.dtype)}};
    if (const auto* conv = std::get_if<kawara_conv>(&command.body))
      return {{conv->a, static_cast<DType>(conv->a_dtype)}, {conv->b, static_cast<DType>(conv->b_dtype)}};
    return {};
  }

  // What the matrix engine multiplies: the narrow types that any operand has, else f32.
  std::string precision() const {
    std::set<std::string> narrow;
    for (const Command& command : model_.commands)
      for (const auto& [operand, dtype] : factors_of(command))
        if (bits(dtype) < 32) narrow.emplace(name(dtype));
    return narrow.empty() ? "f32" : fmt::format("{}", fmt::join(narrow, ", "));
  }

  // What the weights that it multiplies save by their type.
  uint64_t narrow_operand_bytes() const {
    std::set<uint32_t> narrow;
    for (const Command& command : model_.commands)
      for (const auto& [operand, dtype] : factors_of(command)) {
        const uint32_t buffer = command.buffers[kawara_operand_region(operand)];
        if (bits(dtype) == 16 && model_.buffers[buffer].role == Buffer::Role::weights) narrow.insert(buffer);
      }
    uint64_t bytes = 0;
    for (const uint32_t buffer : narrow) bytes += model_.buffers[buffer].size_bytes;
    return bytes;
  }

  std::string report() const {
    std::map<std::string, uint64_t> engines;
    uint64_t macs = 0, waits = 0;
    for (const Command& command : model_.commands) {
      ++engines[hw::engine_words[command.engine]];
      macs += command.macs;
      waits += command.waits.size();
    }
    nlohmann::ordered_json json;
    json["target"] = target_.name;
    if (portable_.origin) json["relowered_from"] = {{"target", portable_.origin->target}, {"isa_version", portable_.origin->isa_version}};
    json["precision"] = precision();
    json["groups"] = graph_.nodes.size();
    json["commands"] = model_.commands.size();
    for (const auto& [name, count] : engines) json["commands_by_engine"][name] = count;
    json["waits"] = waits;
    json["multiply_accumulates"] = macs;
    report_time(json);
    json["command_bytes"] = contents_.commands.size();
    report_memory(json);
    report_fidelity(json);
    return json.dump(2);
  }

  const Graph& graph_;
  const Commands& model_;
  const Allocation& allocation_;
  const kawara_config& target_;
  const PortableGraph& portable_;
  ProgramContents contents_;
  hw::Commands commands_;
  uint32_t weights_ = 0, arena_ = 0, sram_ = 0;
};

}  // namespace

const kawara_config& find_target(std::string_view name) {
  if (const kawara_config* const target = hw::find_config(name)) return *target;
  std::string names;
  for (const kawara_config& target : hw::configs) names += (names.empty() ? "" : ", ") + std::string(target.name);
  throw fail(Code::invalid_argument, "target '{}' is not one of {}", name, names);
}

Program emit(const Graph& graph, const Commands& model, const Allocation& allocation, const kawara_config& target,
             const PortableGraph& portable, const Waiting& waiting) {
  return Emitter(graph, model, allocation, target, portable).emit(waiting);
}

}  // namespace kawara::compiler
