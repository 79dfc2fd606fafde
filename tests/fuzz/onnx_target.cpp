// SPDX-License-Identifier: Apache-2.0
// A model file from its bytes to the chip: read, specialised, compiled, checked as the chip does, and run where it is small.
#include "build.h"
#include "compiler/run_program.h"
#include "compiler/small_models.h"
#include "emit.h"
#include "fuzz/target.h"
#include "fuzz/wire_tree.h"
#include "graph_text.h"
#include "operator.h"
#include "program_check.h"
#include "specialise.h"

namespace kawara::fuzz {
namespace {

using namespace compiler;  // NOLINT: the target is all about it

constexpr int64_t kMostElements = 1 << 12;
constexpr size_t kMostNodes = 64;

bool is_small(const Graph& graph) {
  if (graph.nodes.size() > kMostNodes) return false;
  for (const Value& value : graph.values)
    if (value.shape && element_count(*value.shape) > kMostElements) return false;
  return true;
}

// Loops of a convolution or product are longer than its tensors: executed only where both together are short.
bool runs_shortly(const Program& program) {
  uint64_t bytes = 0;
  for (const ProgramRegion& region : program.regions()) bytes += region.size_bytes;
  const std::string_view key = "\"multiply_accumulates\": ";
  const size_t at = program.report().find(key);
  promise(at != std::string::npos, "the report counts the multiply-accumulates");
  return bytes < 1 << 16 && std::strtoull(program.report().c_str() + at + key.size(), nullptr, 10) < 1 << 14;
}

void run_twice(const Program& program) {
  std::vector<std::vector<std::byte>> inputs;
  for (const TensorInfo& input : program.inputs()) {
    auto& bytes = inputs.emplace_back(input.size_bytes);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 7);
  }
  promise(test::run_program(program, inputs) == test::run_program(program, inputs), "the same program gives the same bits");
}

}  // namespace

bool accepts(std::span<const std::byte> input) {
  try {
    Graph graph = read(std::string(text_of_bytes(input)));
    graph.verify();
    specialise(graph, shapes_of(graph));
    if (!is_small(graph)) return false;
    const Program program = build(std::move(graph), find_target("k1"));
    if (runs_shortly(program)) run_twice(program);
    return true;
  } catch (const Error& error) {
    if (error.code() == Code::internal)
      std::fprintf(stderr, "%s\n%s\n", error.what(), print(read(std::string(text_of_bytes(input)))).c_str());
    promise(error.code() != Code::internal, "no file makes the compiler contradict itself");
    promise(*error.what() != '\0', "an error says something");
    return false;
  }
}

std::vector<Seed> seeds() {
  std::vector<Seed> result;
  for (const auto& [name, bytes] : small_models()) result.push_back({name, bytes_of_text(bytes)});
  return result;
}

// Half of the time one of the operators that there are takes the place of another.
void mutate(Bytes& input, size_t most, std::mt19937& random) {
  static constexpr std::string_view kOperators[] = {
#define OPERATOR(onnx, name) onnx,
#include "ops.def"
  };
  auto fields = parse_wire(text_of_bytes(input));
  if (!fields) return;
  if (random() % 4 == 0) {
    constexpr uint64_t kGraph = 7 << 3 | 2, kNode = 1 << 3 | 2, kOperator = 4 << 3 | 2;
    for (WireField& graph : *fields)
      for (WireField& node : graph.fields)
        for (WireField& field : node.fields)
          if (graph.tag == kGraph && node.tag == kNode && field.tag == kOperator && random() % 8 == 0) {
            field.text = kOperators[random() % std::size(kOperators)];
            field.is_message = false;
          }
  } else {
    spoil_wire(*fields, random);
  }
  const std::string bytes = write_wire(*fields);
  if (bytes.size() <= most) input = bytes_of_text(bytes);
}

}  // namespace kawara::fuzz
