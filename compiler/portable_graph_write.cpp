// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include <graph_generated.h>

#include "kawara/error.h"
#include "portable_graph.h"
#include "portable_graph_form.h"

namespace kawara::compiler {

namespace {

using flatbuffers::Offset;

std::string_view view_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class Writer {
 public:
  Writer(const Graph& graph, std::span<const StoredConstant> stored, ProgramContents& contents) : graph_(graph), contents_(contents) {
    for (const StoredConstant& constant : stored)
      places_.try_emplace(view_of(constant.bytes), Place{PortableSection::weights, constant.offset});
  }

  void write() {
    number_values();
    // One statement each: the order of a call's arguments is the compiler's choice, and the order here is the bytes'.
    std::vector<Offset<file::GraphOpset>> opsets;
    for (const auto& [domain, version] : graph_.opsets) {
      const auto text = builder_.CreateString(domain);
      opsets.push_back(file::CreateGraphOpset(builder_, text, version));
    }
    std::vector<Offset<file::GraphValue>> values;
    for (ValueId id = 0; id < graph_.values.size(); ++id)
      if (number_of_[id] != kAbsent) values.push_back(value(graph_.values[id]));
    std::vector<Offset<file::GraphNode>> nodes;
    for (const Node& each : graph_.nodes) nodes.push_back(node(each));
    const auto name = builder_.CreateString(graph_.name);
    const auto producer = builder_.CreateString(graph_.producer);
    const auto opset_vector = builder_.CreateVector(opsets);
    const auto value_vector = builder_.CreateVector(values);
    const auto node_vector = builder_.CreateVector(nodes);
    const auto inputs = builder_.CreateVector(numbers(graph_.inputs));
    const auto outputs = builder_.CreateVector(numbers(graph_.outputs));
    file::FinishGraphBuffer(builder_, file::CreateGraph(builder_, kPortableGraphVersion, name, producer, graph_.ir_version, opset_vector,
                                                        value_vector, node_vector, inputs, outputs));
    const auto bytes = std::as_bytes(std::span(builder_.GetBufferPointer(), builder_.GetSize()));
    contents_.graph.assign(bytes.begin(), bytes.end());
  }

 private:
  struct Place {
    PortableSection section;
    uint64_t offset;
  };

  // Values that a node or the graph names are written, in their order: passes leave others behind.
  void number_values() {
    number_of_.assign(graph_.values.size(), kAbsent);
    const auto mark = [&](const std::vector<ValueId>& ids) {
      for (const ValueId id : ids)
        if (id != kAbsent) number_of_[id] = 0;
    };
    mark(graph_.inputs);
    mark(graph_.outputs);
    for (const Node& each : graph_.nodes) {
      mark(each.inputs);
      mark(each.outputs);
    }
    uint32_t next = 0;
    for (ValueId& number : number_of_)
      if (number != kAbsent) number = next++;
  }

  std::vector<uint32_t> numbers(const std::vector<ValueId>& ids) const {
    std::vector<uint32_t> result;
    for (const ValueId id : ids) result.push_back(id == kAbsent ? kAbsent : number_of_[id]);
    return result;
  }

  Place place(const Tensor& constant) {
    // A tensor without elements has a place too: the first byte of any section.
    if (constant.bytes.empty()) return {PortableSection::constants, 0};
    const auto [at, fresh] = places_.try_emplace(view_of(constant.bytes), Place{PortableSection::constants, contents_.constants.size()});
    if (fresh) {
      contents_.constants.insert(contents_.constants.end(), constant.bytes.begin(), constant.bytes.end());
      contents_.constants.resize((contents_.constants.size() + kPortableAlignment - 1) / kPortableAlignment * kPortableAlignment);
    }
    return at->second;
  }

  Offset<file::GraphValue> value(const Value& value) {
    if (!value.shape) throw fail(Code::internal, "value '{}' of a specialised graph has no shape", value.name);
    const auto name = builder_.CreateString(value.name);
    const auto shape = builder_.CreateVector(*value.shape);
    const Place at = value.constant ? place(*value.constant) : Place{PortableSection::none, 0};
    return file::CreateGraphValue(builder_, name, static_cast<uint8_t>(value.dtype), static_cast<uint8_t>(at.section), at.offset, shape);
  }

  Offset<file::GraphAttribute> attribute(const std::string& name, const Attribute& attribute) {
    const auto text = builder_.CreateString(name);
    Offset<flatbuffers::Vector<int64_t>> integers;
    Offset<flatbuffers::Vector<float>> reals;
    Offset<flatbuffers::Vector<Offset<flatbuffers::String>>> texts;
    Offset<file::GraphValue> tensor;
    if (const auto* one = std::get_if<int64_t>(&attribute)) integers = builder_.CreateVector(one, 1);
    if (const auto* one = std::get_if<float>(&attribute)) reals = builder_.CreateVector(one, 1);
    if (const auto* one = std::get_if<std::string>(&attribute)) texts = builder_.CreateVectorOfStrings({*one});
    if (const auto* list = std::get_if<std::vector<int64_t>>(&attribute)) integers = builder_.CreateVector(*list);
    if (const auto* list = std::get_if<std::vector<float>>(&attribute)) reals = builder_.CreateVector(*list);
    if (const auto* list = std::get_if<std::vector<std::string>>(&attribute)) texts = builder_.CreateVectorOfStrings(*list);
    if (const auto* given = std::get_if<Tensor>(&attribute))
      tensor = value({.name = "", .dtype = given->dtype, .shape = given->shape, .constant = *given});
    return file::CreateGraphAttribute(builder_, text, static_cast<uint8_t>(attribute.index()), integers, reals, texts, tensor);
  }

  Offset<file::GraphNode> node(const Node& node) {
    if (!node.body.empty()) throw fail(Code::internal, "group '{}' stands in a portable graph", node.name);
    std::vector<Offset<file::GraphAttribute>> attributes;
    for (const auto& [name, value] : node.attributes) attributes.push_back(attribute(name, value));
    const auto op = builder_.CreateString(node.op);
    const auto domain = builder_.CreateString(node.domain);
    const auto name = builder_.CreateString(node.name);
    const auto inputs = builder_.CreateVector(numbers(node.inputs));
    const auto outputs = builder_.CreateVector(numbers(node.outputs));
    const auto attribute_vector = builder_.CreateVector(attributes);
    return file::CreateGraphNode(builder_, op, domain, name, node.opset, node.debug_id, inputs, outputs, attribute_vector);
  }

  const Graph& graph_;
  ProgramContents& contents_;
  flatbuffers::FlatBufferBuilder builder_;
  std::unordered_map<std::string_view, Place> places_;  // by content: equal constants stand once
  std::vector<ValueId> number_of_;                      // per value; kAbsent where it is not written
};

}  // namespace

void write_portable_graph(const Graph& graph, std::span<const StoredConstant> stored, ProgramContents& contents) {
  contents.constants.clear();
  Writer(graph, stored, contents).write();
}

}  // namespace kawara::compiler
