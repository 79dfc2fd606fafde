// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <memory>

#include <graph_generated.h>

#include "kawara/error.h"
#include "kawara/file/table_reader.h"
#include "operator.h"
#include "portable_graph.h"
#include "portable_graph_form.h"

namespace kawara::compiler {

namespace {

constexpr size_t kMostDimensions = 64;  // as the ONNX reader has it

constexpr std::string_view kWhose = "the portable graph: ";

template <typename... Args>
Error broken(fmt::format_string<Args...> format, Args&&... args) {
  return fail(Code::invalid_program, "{}{}", kWhose, fmt::format(format, std::forward<Args>(args)...));
}

class Reader {
 public:
  explicit Reader(const Program& program) : program_(std::make_shared<Program>(program)), parts_(program.graph().size(), kWhose) {}

  Graph read() {
    const auto* bytes = reinterpret_cast<const uint8_t*>(program_->graph().data());
    flatbuffers::Verifier verifier(bytes, program_->graph().size());
    if (!file::VerifyGraphBuffer(verifier)) throw broken("its table is damaged");
    const file::Graph& table = *file::GetGraph(bytes);
    if (table.graph_version() != kPortableGraphVersion)
      throw fail(Code::version_mismatch, "the program's portable graph has version {}, this kawara reads {}: compile the model again",
                 table.graph_version(), kPortableGraphVersion);
    graph_.name = parts_.text(table.name());
    graph_.producer = parts_.text(table.producer());
    graph_.ir_version = table.ir_version();
    graph_.metadata.assign(program_->metadata().begin(), program_->metadata().end());
    for (const file::GraphOpset* opset : *table.opsets()) graph_.opsets[parts_.text(opset->domain())] = opset->version();
    for (const file::GraphValue* each : *table.values()) graph_.values.push_back(value(*each));
    graph_.inputs = ids(*table.inputs());
    graph_.outputs = ids(*table.outputs());
    for (const file::GraphNode* each : *table.nodes()) graph_.nodes.push_back(node(*each));
    return std::move(graph_);
  }

 private:
  std::vector<ValueId> ids(const flatbuffers::Vector<uint32_t>& vector) {
    std::vector<ValueId> ids = parts_.list<ValueId>(vector);
    for (const ValueId id : ids)
      if (id != kAbsent && id >= graph_.values.size()) throw broken("it names value {} of {}", id, graph_.values.size());
    return ids;
  }

  Value value(const file::GraphValue& from) {
    parts_.take(sizeof(uint32_t));  // the offset that led here
    Value value{.name = parts_.text(from.name()), .dtype = static_cast<DType>(from.dtype()), .shape = parts_.list<int64_t>(*from.shape())};
    if (bits(value.dtype) == 0) throw broken("the dtype of '{}' is not one of the chip's", value.name);
    if (value.shape->size() > kMostDimensions) throw broken("'{}' has more than {} dimensions", value.name, kMostDimensions);
    int64_t elements = 0;
    try {
      elements = element_count(*value.shape);
    } catch (const Error& error) {
      throw broken("'{}': {}", value.name, error.what());
    }
    if (from.section() == static_cast<uint8_t>(PortableSection::none)) return value;
    value.constant = Tensor{.dtype = value.dtype,
                            .shape = *value.shape,
                            .bytes = constant(value.name, from.section(), from.offset(), bytes_of(value.dtype, elements)),
                            .owner = program_};
    if (value.dtype == DType::boolean && std::ranges::any_of(value.constant->bytes, [](std::byte byte) { return byte > std::byte{1}; }))
      throw broken("'{}' holds a boolean that is neither 0 nor 1", value.name);
    return value;
  }

  std::span<const std::byte> constant(const std::string& name, uint8_t section, uint64_t offset, uint64_t size) const {
    std::span<const std::byte> bytes;
    switch (static_cast<PortableSection>(section)) {
      case PortableSection::weights: bytes = program_->weights(); break;
      case PortableSection::constants: bytes = program_->constants(); break;
      default: throw broken("'{}' lies in section {}, which does not exist", name, section);
    }
    if (offset > bytes.size() || size > bytes.size() - offset)
      throw broken("the {} bytes of '{}' from byte {} on lie outside of their section of {}", size, name, offset, bytes.size());
    if (offset % kPortableAlignment != 0) throw broken("the constant '{}' must start at a multiple of {}", name, kPortableAlignment);
    return bytes.subspan(offset, size);
  }

  Node node(const file::GraphNode& from) {
    parts_.take(sizeof(uint32_t));
    Node node{.op = parts_.text(from.op()), .domain = parts_.text(from.domain()), .name = parts_.text(from.name()), .opset = from.opset()};
    node.inputs = ids(*from.inputs());
    node.outputs = ids(*from.outputs());
    node.debug_id = from.debug_id();
    for (const file::GraphAttribute* each : *from.attributes()) {
      parts_.take(sizeof(uint32_t));
      std::string name = parts_.text(each->name());
      Attribute held = attribute(node, name, *each);
      if (!node.attributes.emplace(std::move(name), std::move(held)).second) throw broken("'{}' has an attribute twice", node.name);
    }
    return node;
  }

  Attribute attribute(const Node& node, const std::string& name, const file::GraphAttribute& from) {
    std::vector<int64_t> integers;
    std::vector<float> reals;
    std::vector<std::string> texts;
    if (from.integers()) integers = parts_.list<int64_t>(*from.integers());
    if (from.reals()) reals = parts_.list<float>(*from.reals());
    if (from.texts())
      for (const flatbuffers::String* each : *from.texts()) {
        parts_.take(sizeof(uint32_t));
        texts.push_back(parts_.text(each));
      }
    switch (from.kind()) {
      case 0:
        if (integers.size() == 1) return integers[0];
        break;
      case 1:
        if (reals.size() == 1) return reals[0];
        break;
      case 2:
        if (texts.size() == 1) return texts[0];
        break;
      case 3: return integers;
      case 4: return reals;
      case 5: return texts;
      case 6: {
        if (!from.tensor()) break;
        const Value held = value(*from.tensor());
        if (held.constant) return *held.constant;
        break;
      }
      default: break;
    }
    throw broken("attribute '{}' of '{}' does not hold what its kind {} says", name, node.name, from.kind());
  }

  std::shared_ptr<const Program> program_;
  file::TableReader parts_;
  Graph graph_;
};

// Every node again as at import: its operator's rules, and the dtypes and shapes that it computes.
void check_inference(Graph& graph) {
  for (const Node& node : graph.nodes) {
    const Operator* op = find_operator(node);
    if (!op || op->kind == OperatorKind::rewritten || (op->kind == OperatorKind::root && !op->lower))
      throw broken("{} '{}' is none of the operators that it may hold", node.op, node.name);
    if (node.outputs.empty() || node.outputs[0] == kAbsent) throw broken("{} '{}' has no first output", node.op, node.name);
    std::vector<Value> stated;
    for (const ValueId id : node.outputs) {
      if (id == kAbsent) continue;
      stated.push_back(graph.values[id]);
      graph.values[id].shape.reset();
      graph.values[id].dtype = DType::none;
    }
    Inference inference(graph, node);
    op->infer(inference);
    for (size_t next = 0; const ValueId id : node.outputs) {
      if (id == kAbsent) continue;
      const Value& want = stated[next++];
      if (graph.values[id].dtype != want.dtype || graph.values[id].shape != want.shape)
        throw broken("{} '{}' does not compute '{}' as it stands there", node.op, node.name, want.name);
    }
  }
}

void check_border(const Graph& graph, const std::vector<ValueId>& values, std::span<const TensorInfo> tensors, std::string_view role) {
  const bool same = std::ranges::equal(values, tensors, [&](ValueId id, const TensorInfo& tensor) {
    if (id == kAbsent) return false;
    const Value& value = graph.values[id];
    return value.name == tensor.name && value.dtype == tensor.dtype && value.shape == tensor.shape;
  });
  if (!same) throw broken("its {} are not the program's", role);
}

}  // namespace

Graph read_portable_graph(const Program& program) {
  Graph graph = Reader(program).read();
  check_border(graph, graph.inputs, program.inputs(), "inputs");
  check_border(graph, graph.outputs, program.outputs(), "outputs");
  try {
    graph.verify();
    check_inference(graph);
  } catch (const Error& error) {
    if (error.code() == Code::invalid_program) throw;
    throw Error(Code::invalid_program, fmt::format("{}{}", kWhose, error.what()), error.node());
  }
  return graph;
}

}  // namespace kawara::compiler
