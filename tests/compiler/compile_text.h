// SPDX-License-Identifier: Apache-2.0
// Graphs as text through the whole compiler: what the tests of lowering and of what follows it share.
#pragma once

#include <gmock/gmock.h>

#include <cmath>

#include "build.h"
#include "compiler/oracle.h"
#include "compiler/races.h"
#include "emit.h"
#include "graph_text.h"
#include "specialise.h"

namespace kawara::test {

inline compiler::Graph specialised(const std::string& text) {
  compiler::Graph graph = compiler::parse_graph(text);
  uint32_t id = 0;
  for (compiler::Node& node : graph.nodes) node.debug_id = ++id;
  compiler::specialise(graph, {});
  return graph;
}

inline Program compile_text(const std::string& text, std::string_view target = "k1", const compiler::PlanOptions& options = {}) {
  return compiler::build(specialised(text), compiler::find_target(target), options);
}

// One line per command: engine and operators; copies at the border say Input or Output.
inline std::string outline(const Program& program) {
  static constexpr const char* kEngines[] = {"CP", "ME", "VE", "IN", "OUT"};
  std::string text;
  for (const uint32_t offset : command_offsets(program)) {
    const auto* header = reinterpret_cast<const kawara_header*>(program.commands().data() + offset);
    for (const DebugEntry& entry : program.debug())
      if (entry.id == header->debug_id) text += fmt::format("{} {}\n", kEngines[header->engine], entry.op);
  }
  return text;
}

// The program's answer to numbered inputs; it must also be free of races.
inline Array run(const std::string& text, const std::vector<Array>& inputs) {
  const Program program = compile_text(text);
  EXPECT_THAT(races(program), testing::IsEmpty());
  std::vector<std::vector<float>> values;
  for (const Array& input : inputs) values.push_back(input.values);
  return {program.outputs()[0].shape, run_floats(program, values)};
}

inline void expect_near(const Array& got, const Array& want, float tolerance = 1e-5f) {
  ASSERT_EQ(got.shape, want.shape);
  for (size_t i = 0; i < want.values.size(); ++i)
    ASSERT_LE(std::abs(got.values[i] - want.values[i]), tolerance * (1 + std::abs(want.values[i])))
        << "element " << i << ": " << got.values[i] << " and " << want.values[i];
}

}  // namespace kawara::test
