// SPDX-License-Identifier: Apache-2.0
// Turns a model as imported into one for given input shapes: every dtype and shape known, shape arithmetic computed away.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph.h"
#include "waiting.h"

namespace kawara::compiler {

// By name of the graph's input; -1 keeps the model's dimension.
using InputShapes = std::map<std::string, Shape, std::less<>>;

// Throws wrong_input (a name or dimension that is not the model's), shape_required (naming input and dimension), and one
// `unsupported` for all nodes together, each with the rule that it breaks. Nothing else of the graph changes: a session
// keeps the imported graph and specialises a copy for each set of shapes.
void specialise(Graph& graph, const InputShapes& shapes, const Waiting& waiting = {});

// A node that can't run, and the rule that it breaks.
struct Refusal {
  uint32_t debug_id = 0;
  std::string node, sentence;
};

// The same, with the refusals as a result, in the model's order. Where there are some, the graph is of no further use.
std::vector<Refusal> try_specialise(Graph& graph, const InputShapes& shapes, const Waiting& waiting = {});

}  // namespace kawara::compiler
