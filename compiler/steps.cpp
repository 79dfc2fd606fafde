// SPDX-License-Identifier: Apache-2.0
#include "steps.h"

#include <algorithm>

#include "kawara/error.h"
#include "passes/passes.h"
#include "precision.h"

namespace kawara::compiler {

namespace {

constexpr std::string_view kSpecialise = "specialise";

// Steps that a compilation takes where it is asked to.
struct Choice {
  std::string_view name;
  DType precision;
};
constexpr Choice kChoices[] = {{"narrow_bf16", DType::bf16}, {"narrow_f16", DType::f16}};

}  // namespace

std::vector<std::string_view> step_names() {
  std::vector<std::string_view> names = {kSpecialise};
  for (const Pass& pass : passes()) names.push_back(pass.name);
  return names;
}

void require_step(std::string_view name) {
  auto names = step_names();
  for (const Choice& choice : kChoices) names.push_back(choice.name);
  if (std::ranges::count(names, name) == 0)
    throw fail(Code::invalid_argument, "there is no pass '{}', but {}", name, fmt::join(names, ", "));
}

void run_step(std::string_view name, Graph& graph, const InputShapes& shapes) {
  require_step(name);
  if (name == kSpecialise) return specialise(graph, shapes);
  if (const auto choice = std::ranges::find(kChoices, name, &Choice::name); choice != std::end(kChoices))
    return narrow_products(graph, choice->precision);
  const auto pass = std::ranges::find(passes(), name, &Pass::name);
  pass->run(graph);
  graph.verify();
}

}  // namespace kawara::compiler
