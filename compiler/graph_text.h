// SPDX-License-Identifier: Apache-2.0
// Graphs as text: what tests are written in and kawara-opt prints. What is printed parses to the same graph, but for large
// constants (see below) and unused values.
//
//   file      = { graph }                                    # a comment ends with the line
//   graph     = "graph" string [ "opset" integer ] "(" [ input { "," input } ] ")" "{" { statement } "return" [ values ] "}"
//   input     = value ":" type
//   statement = "metadata" string "=" string
//             | value "=" constant
//             | result { "," result } "=" operator "(" [ operand { "," operand } ] ")" [ attributes ] [ "as" string ] [ "id" integer ]
//             | result { "," result } "=" "group" "(" [ operands ] ")" "{" { statement } "}" [ "as" string ] [ "id" integer ]
//   result    = "_" | value [ ":" type ]                     # _ is an output that nobody wants, or an absent input
//   operand   = "_" | value
//   value     = "%" word | "%" string
//   operator  = word [ "::" word ] [ "@" integer ]           # com.microsoft::Gelu@1; without @: the graph's opset
//   type      = dtype [ "[" [ dimension { "," dimension } ] "]" ]         # without []: the rank is not known
//   dimension = integer | "?" | word                         # a word is the model's name of an unknown dimension
//   attributes= "{" word "=" attribute { "," word "=" attribute } "}"
//   attribute = integer | float | string | "[" … "]" | "ints[]" | "floats[]" | "strings[]" | constant     # floats have . e or inf, nan
//   constant  = type data
//   data      = "dense<" numbers ">" | "splat<" number ">" | 'hex"' digits '"' | "random<" integer ">"
//
// as: the node's name, when it isn't its first output's. id: its debug_id. Constants of up to 64 elements are printed in
// full (floats other than f32, and NaNs, as hex); larger ones as a splat, or as random<hash of the bytes>: this parses to
// other, repeatable numbers, small enough for sums to stay small.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph.h"

namespace kawara::compiler {

std::string print(const Graph& graph);
// Throws invalid_argument, naming the line. The graph is not verified.
Graph parse_graph(std::string_view text);
std::vector<Graph> parse_graphs(std::string_view text);

}  // namespace kawara::compiler
