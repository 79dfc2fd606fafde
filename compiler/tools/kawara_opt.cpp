// SPDX-License-Identifier: Apache-2.0
// kawara-opt: one step of the compiler at a time, text in, text out.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

#include <CLI/CLI.hpp>

#include "build.h"
#include "emit.h"
#include "graph_text.h"
#include "kawara/error.h"
#include "kawara/hw/text.h"
#include "kawara/version.h"
#include "lowering.h"
#include "onnx/model.h"
#include "passes/passes.h"
#include "plan_text.h"
#include "steps.h"

namespace kawara::compiler {

namespace {

struct Request {
  std::vector<std::string> passes, shapes;
  std::string emit = "graph", target = "k1", file;
  bool list = false;
};

// "x=1,3,8,8"
std::pair<std::string, Shape> shape_of(const std::string& text) {
  static const std::regex kForm("(.+)=(-?[0-9]{1,18}(,-?[0-9]{1,18})*)?");
  std::smatch parts;
  if (!std::regex_match(text, parts, kForm)) throw fail(Code::invalid_argument, "--shape: NAME=1,3,8,8 is the form, got '{}'", text);
  Shape shape;
  std::istringstream extents(parts[2]);
  for (std::string extent; std::getline(extents, extent, ',');) shape.push_back(std::stoll(extent));
  return {parts[1], shape};
}

std::string content_of(const std::string& file) {
  std::ostringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream stream(file);
  if (!stream) throw fail(Code::not_found, "{}: there is no such file, or it can't be read", file);
  text << stream.rdbuf();
  return text.str();
}

// Errors of the graph's text say the line as editors expect it.
std::vector<Graph> graphs_of(const std::string& file) {
  std::vector<Graph> graphs;
  if (file.ends_with(".onnx")) {
    graphs.push_back(read_onnx(file));
    return graphs;
  }
  const std::string text = content_of(file);
  try {
    graphs = parse_graphs(text);
  } catch (const Error& error) {
    static const std::regex kPlace("^graph text, line ([0-9]+)");
    throw Error(error.code(), std::regex_replace(std::string(error.what()), kPlace, (file == "-" ? "standard input" : file) + ":$1"));
  }
  if (graphs.empty()) throw fail(Code::invalid_argument, "{}: it holds no graph", file);
  return graphs;
}

// What a compilation would do first is done first, unless the passes are named.
void run_steps(Graph& graph, const Request& request, const InputShapes& shapes) {
  if (request.passes.empty() && request.emit != "graph")
    for (const std::string_view step : step_names()) run_step(step, graph, shapes);
  for (const std::string& pass : request.passes) run_step(pass, graph, shapes);
}

std::string result_of(Graph graph, const Request& request, const InputShapes& shapes) {
  const kawara_config& target = find_target(request.target);
  PortableGraph carried{.graph = graph, .origin = {}};
  run_steps(graph, request, shapes);
  if (request.emit == "graph") return print(graph);
  const Plan plan = make_plan(Lowering(graph).run(), target);
  if (request.emit == "plan") return print(plan);
  // What the program carries beside its commands must be whole, though the commands alone are printed.
  specialise(carried.graph, shapes);
  run_portable_passes(carried.graph);
  return hw::disassemble(emit(graph, plan.commands, plan.allocation, target, carried).commands());
}

// One graph after the other; an error takes the graph's place. Whether there was none.
bool run(const Request& request) {
  InputShapes shapes;
  for (const std::string& text : request.shapes) shapes.insert(shape_of(text));
  for (const std::string& pass : request.passes) require_step(pass);
  find_target(request.target);
  bool sound = true;
  for (Graph& graph : graphs_of(request.file)) {
    const std::string name = graph.name;
    try {
      std::cout << result_of(std::move(graph), request, shapes);
    } catch (const Error& error) {
      std::cout << fmt::format("graph \"{}\" error {}: {}\n", name, kawara::name(error.code()), error.what());
      sound = false;
    }
  }
  return sound;
}

void list() {
  std::cout << "specialise: gives every value its type and shape, and computes what is constant\n";
  for (const Pass& pass : passes()) std::cout << fmt::format("{}: {}\n", pass.name, pass.doc);
  std::cout << "narrow_bf16, narrow_f16: casts the operands of convolutions and products, where a compilation is asked to\n";
}

int main(int argc, char** argv) {
  CLI::App app("Runs steps of Kawara's compiler on graphs and prints what they become.", "kawara-opt");
  Request request;
  app.add_option("--pass", request.passes,
                 "A step to run; in the order given. None: the graph as it is, or all of them with --emit=commands and plan")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--emit", request.emit, "What to print: graph (default), commands or plan")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"graph", "commands", "plan"}));
  app.add_option("--target", request.target, "The chip; a name of configs.def (default k1)")->type_name("NAME");
  app.add_option("--shape", request.shapes, "Dimensions of an input for `specialise`, as x=1,3,8,8; -1 keeps the model's")
      ->type_name("NAME=DIMENSIONS")
      ->allow_extra_args(false);
  app.set_version_flag("--version", fmt::format("kawara-opt {}", version()), "Print the version and end");
  app.add_flag("--list", request.list, "List the steps and end");
  auto* file = app.add_option("FILE", request.file, "Graphs as text, or a model that ends in .onnx; - reads text from standard input");
  CLI11_PARSE(app, argc, argv);
  try {
    if (request.list) {
      list();
      return 0;
    }
    if (!*file) throw fail(Code::invalid_argument, "a FILE is needed, or - for standard input");
    return run(request) ? 0 : 1;
  } catch (const Error& error) {
    std::cerr << "kawara-opt: " << error.what() << '\n';
    return 2;
  }
}

}  // namespace

}  // namespace kawara::compiler

int main(int argc, char** argv) { return kawara::compiler::main(argc, argv); }
