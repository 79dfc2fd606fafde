// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "graph_text.h"
#include "tensor_text.h"

namespace kawara::compiler {

namespace {

bool is_word(std::string_view text) {
  return !text.empty() && text != "_" && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$' || c == '/' || c == '-';
  });
}

class Printer {
 public:
  explicit Printer(const Graph& graph) : graph_(graph) {
    // Values of one name are told apart by a number behind it.
    std::set<std::string> taken;
    for (const Value& value : graph.values) {
      std::string name = value.name.empty() ? "v" : value.name;
      for (int copy = 1; !taken.insert(name).second; ++copy) name = fmt::format("{}.{}", value.name.empty() ? "v" : value.name, copy);
      names_.push_back(fmt::format("%{}", is_word(name) ? name : quote(name)));
    }
    for (const Node& node : graph.nodes) {
      const Node& first = node.body.empty() ? node : node.body[0];
      if (!first.domain.empty()) continue;
      opset_ = first.opset;
      break;
    }
  }

  std::string run() {
    text_ = fmt::format("graph {} opset {} (", quote(graph_.name), opset_);
    for (size_t i = 0; i < graph_.inputs.size(); ++i) text_ += fmt::format("{}{}", i ? ", " : "", typed(graph_.inputs[i]));
    text_ += ") {\n";
    for (const auto& [key, value] : graph_.metadata) text_ += fmt::format("  metadata {} = {}\n", quote(key), quote(value));
    for (const Node& node : graph_.nodes) print(node, 2);
    for (ValueId id : graph_.outputs) print_constant(id, 2);
    text_ += "  return";
    for (size_t i = 0; i < graph_.outputs.size(); ++i) text_ += fmt::format("{}{}", i ? ", " : " ", names_.at(graph_.outputs[i]));
    return text_ + "\n}\n";
  }

 private:
  std::string operand(ValueId id) const { return id == kAbsent ? "_" : names_.at(id); }

  static std::string dimension(const Value& value, size_t i) {
    if ((*value.shape)[i] >= 0) return std::to_string((*value.shape)[i]);
    const bool named = i < value.dimension_names.size() && is_word(value.dimension_names[i]) &&
                       !std::isdigit(static_cast<unsigned char>(value.dimension_names[i][0]));
    return named ? value.dimension_names[i] : "?";
  }

  static std::string type(const Value& value) {
    std::string text(name(value.dtype));
    if (!value.shape) return text;
    text += "[";
    for (size_t i = 0; i < value.shape->size(); ++i) text += fmt::format("{}{}", i ? "," : "", dimension(value, i));
    return text + "]";
  }

  std::string typed(ValueId id) const {
    if (id == kAbsent) return "_";
    const Value& value = graph_.values.at(id);
    return value.dtype == DType::none && !value.shape ? names_[id] : names_[id] + ": " + type(value);
  }

  // Constants stand before their first use.
  void print_constant(ValueId id, size_t indent) {
    if (id == kAbsent || !graph_.values.at(id).constant || !printed_.insert(id).second) return;
    text_ += fmt::format("{:{}}{} = {}\n", "", indent, names_[id], constant(*graph_.values[id].constant));
  }

  static std::string constant(const Tensor& tensor) {
    return fmt::format("{}[{}] {}", name(tensor.dtype), fmt::join(tensor.shape, ","), print_data(tensor));
  }

  static std::string attribute(const Attribute& attribute) {
    const auto list = [](const auto& elements, const char* empty, auto print) {
      if (elements.empty()) return std::string(empty);
      std::string text;
      for (size_t i = 0; i < elements.size(); ++i) text += fmt::format("{}{}", i ? ", " : "[", print(elements[i]));
      return text + "]";
    };
    if (const auto* value = std::get_if<int64_t>(&attribute)) return std::to_string(*value);
    if (const auto* value = std::get_if<float>(&attribute)) return print_float(*value);
    if (const auto* value = std::get_if<std::string>(&attribute)) return quote(*value);
    if (const auto* value = std::get_if<std::vector<int64_t>>(&attribute))
      return list(*value, "ints[]", [](int64_t each) { return std::to_string(each); });
    if (const auto* value = std::get_if<std::vector<float>>(&attribute)) return list(*value, "floats[]", print_float);
    if (const auto* value = std::get_if<std::vector<std::string>>(&attribute))
      return list(*value, "strings[]", [](const std::string& each) { return quote(each); });
    return constant(std::get<Tensor>(attribute));
  }

  void print(const Node& node, size_t indent) {
    for (ValueId id : node.inputs) print_constant(id, indent);
    text_.append(indent, ' ');
    for (size_t i = 0; i < node.outputs.size(); ++i) text_ += fmt::format("{}{}", i ? ", " : "", typed(node.outputs[i]));
    text_ += " = ";
    if (!node.body.empty()) {
      text_ += "group";
    } else {
      if (!node.domain.empty()) text_ += node.domain + "::";
      text_ += node.op;
      if (!node.domain.empty() || node.opset != opset_) text_ += fmt::format("@{}", node.opset);
    }
    text_ += "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) text_ += fmt::format("{}{}", i ? ", " : "", operand(node.inputs[i]));
    text_ += ")";
    if (!node.body.empty()) {
      text_ += " {\n";
      for (const Node& part : node.body) print(part, indent + 2);
      text_.append(indent, ' ') += "}";
    } else if (!node.attributes.empty()) {
      text_ += " {";
      for (bool first = true; const auto& [name, value] : node.attributes) {
        text_ += fmt::format("{}{} = {}", first ? "" : ", ", name, attribute(value));
        first = false;
      }
      text_ += "}";
    }
    const bool is_own_name = !node.outputs.empty() && node.outputs[0] != kAbsent && node.name == graph_.values.at(node.outputs[0]).name;
    if (!is_own_name) text_ += fmt::format(" as {}", quote(node.name));
    if (node.debug_id) text_ += fmt::format(" id {}", node.debug_id);
    text_ += "\n";
  }

  const Graph& graph_;
  std::vector<std::string> names_;
  std::set<ValueId> printed_;
  int64_t opset_ = 1;
  std::string text_;
};

}  // namespace

std::string print(const Graph& graph) { return Printer(graph).run(); }

}  // namespace kawara::compiler
