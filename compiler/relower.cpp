// SPDX-License-Identifier: Apache-2.0
// From a program to one for another chip or command set, by the graph that it carries.
#include "build.h"
#include "emit.h"
#include "kawara/compiler.h"
#include "kawara/error.h"
#include "portable_graph.h"

namespace kawara {

Program relower(const Program& program, const std::string& target, const std::function<void()>& waiting) {
  const kawara_config& chip = compiler::find_target(target);
  if (program.graph().empty())
    throw fail(Code::version_mismatch,
               "the program, compiled for {} and version {} of the command set, carries no portable graph to make one for {} from",
               program.target(), program.isa_version(), target);
  return compiler::build(compiler::PortableGraph{.graph = compiler::read_portable_graph(program),
                                                 .origin = compiler::Origin{program.target(), program.isa_version()}},
                         chip, {}, compiler::Waiting(waiting));
}

}  // namespace kawara
