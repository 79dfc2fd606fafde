// SPDX-License-Identifier: Apache-2.0
// The public door to what the compiler asks of its own programs.
#include "emit.h"
#include "kawara/compiler.h"
#include "kawara/error.h"
#include "mistake.h"

namespace kawara {

void verify(const Program& program, const std::string& target) {
  const kawara_config& chip = compiler::find_target(target);
  if (auto mistake = compiler::find_mistake(program.commands(), program.regions(), program.debug(), chip))
    throw Error(Code::invalid_program, mistake->message, mistake->node);
}

}  // namespace kawara
