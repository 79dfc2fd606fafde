// SPDX-License-Identifier: Apache-2.0
// Turns a model as imported into one for given input shapes: every dtype and shape known, shape arithmetic computed away.
#pragma once

#include <map>
#include <string>

#include "graph.h"

namespace kawara::compiler {

using InputShapes = std::map<std::string, Shape, std::less<>>;  // by name of the graph's input

// Throws wrong_input (a name or dimension that is not the model's), shape_required (naming input and dimension), and one
// `unsupported` for all nodes together, each with the rule that it breaks. Nothing else of the graph changes: a session
// keeps the imported graph and specialises a copy for each set of shapes.
void specialise(Graph& graph, const InputShapes& shapes);

}  // namespace kawara::compiler
