// SPDX-License-Identifier: Apache-2.0
// The graph that a program carries (graph.fbs): specialised, and simplified by the passes that know no chip. Its constants stand
// in the program's weights where the chip reads them as they are, else in its constants.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "graph.h"
#include "kawara/program.h"

namespace kawara::compiler {

// The program that a graph was read from, when it was not a model.
struct Origin {
  std::string target;
  uint32_t isa_version = 0;
};

struct PortableGraph {
  Graph graph;
  std::optional<Origin> origin;
};

// A constant in the weights region: its bytes, and where they stand there.
struct StoredConstant {
  std::span<const std::byte> bytes;
  uint64_t offset = 0;
};

// Sets contents.graph and contents.constants. `stored`: what contents.weights holds. Same graph, same bytes.
void write_portable_graph(const Graph& graph, std::span<const StoredConstant> stored, ProgramContents& contents);

// Trusts nothing: the graph keeps every rule that one from a model keeps, and its inputs and outputs are the program's.
// Constants stay where they lie. Throws invalid_program, and version_mismatch for a graph of another version.
Graph read_portable_graph(const Program& program);

}  // namespace kawara::compiler
