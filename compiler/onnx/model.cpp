// SPDX-License-Identifier: Apache-2.0
#include "onnx/model.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "kawara/error.h"
#include "onnx/attribute.h"
#include "onnx/element_type.h"
#include "onnx/mapped_file.h"
#include "onnx/message.h"
#include "onnx/tensor.h"

namespace kawara::compiler {

namespace {

constexpr size_t kMostDimensions = 64;

std::pair<std::string, std::string> read_pair(Message message) {
  std::pair<std::string, std::string> result;
  while (message.next()) {
    switch (message.field()) {
      case 1: result.first = message.text("key"); break;
      case 2: result.second = message.text("value"); break;
      default: message.skip();
    }
  }
  return result;
}

void read_shape(Message message, Value& value) {
  value.shape.emplace();
  while (message.next()) {
    if (message.field() != 1) {
      message.skip();
      continue;
    }
    Message dimension = message.message("dim", static_cast<int64_t>(value.shape->size()));
    int64_t extent = -1;
    std::string name;
    while (dimension.next()) {
      switch (dimension.field()) {
        case 1:
          extent = dimension.integer("dim_value");
          // Some exporters write -1 or 0 for what they don't know; -1 is clear, 0 is a size.
          if (extent < -1) throw dimension.error(fmt::format("the dimension is {}", extent), "dim_value");
          break;
        case 2: name = dimension.text("dim_param"); break;
        default: dimension.skip();
      }
    }
    value.shape->push_back(extent);
    value.dimension_names.push_back(std::move(name));
    if (value.shape->size() > kMostDimensions) throw message.error(fmt::format("more than {} dimensions", kMostDimensions), "dim");
  }
}

// An input or output: name, and type if it is a tensor.
Value read_value_info(Message message) {
  Value value;
  bool is_tensor = false;
  while (message.next()) {
    if (message.field() == 1) {
      value.name = message.text("name");
    } else if (message.field() == 2) {
      Message type = message.message("type");
      while (type.next()) {
        if (type.field() != 1) {
          type.skip();
          continue;
        }
        is_tensor = true;
        Message tensor = type.message("tensor_type");
        while (tensor.next()) {
          if (tensor.field() == 1) {
            const int64_t element_type = tensor.integer("elem_type");
            value.dtype = dtype_of_element_type(element_type);
            if (value.dtype == DType::none && element_type != 0)
              throw fail(Code::unsupported, "'{}' has elements of type {}, which the chip doesn't have", value.name,
                         element_type_name(element_type));
          } else if (tensor.field() == 2) {
            read_shape(tensor.message("shape"), value);
          } else {
            tensor.skip();
          }
        }
      }
    } else {
      message.skip();
    }
  }
  if (value.name.empty()) throw message.error("an input or output has no name", "name");
  if (!is_tensor) value.dtype = DType::none;
  return value;
}

class Reader {
 public:
  explicit Reader(TensorSource source) : source_(std::move(source)) {}

  Graph read(std::span<const std::byte> bytes) {
    Message message(bytes);
    // Fields come in any order: the graph is read last, because its nodes need the versions.
    int graphs = 0;
    while (message.next()) {
      switch (message.field()) {
        case 1: ir_version_ = message.integer("ir_version"); break;
        case 2: graph_.producer = message.text("producer_name"); break;
        case 7:
          ++graphs;
          message.skip();
          break;
        case 8: {
          const auto [domain, version] = read_opset(message.message("opset_import"));
          opsets_[domain] = version;
          break;
        }
        case 14: graph_.metadata.push_back(read_pair(message.message("metadata_props"))); break;
        default: message.skip();
      }
    }
    if (ir_version_ <= 0) throw fail(Code::invalid_model, "the file has no ir_version: it is not an ONNX model");
    if (graphs != 1) throw fail(Code::invalid_model, "the file has {} graphs, an ONNX model has one", graphs);
    for (Message again(bytes); again.next();) {
      if (again.field() == 7)
        read_graph(again.message("graph"));
      else
        again.skip();
    }
    graph_.ir_version = ir_version_;
    graph_.opsets = opsets_;
    return std::move(graph_);
  }

 private:
  static std::pair<std::string, int64_t> read_opset(Message message) {
    std::pair<std::string, int64_t> result{"", 0};
    while (message.next()) {
      switch (message.field()) {
        case 1: result.first = message.text("domain"); break;
        case 2: result.second = message.integer("version"); break;
        default: message.skip();
      }
    }
    if (result.first == "ai.onnx") result.first = "";
    if (result.second < 1)
      throw message.error(fmt::format("version {} of domain '{}' does not exist", result.second, result.first), "version");
    return result;
  }

  void read_graph(Message message) {
    // Initializers come before inputs and nodes in what they define, but not in the file.
    Message again = message, inputs_only = message;
    int64_t initializers = 0, inputs = 0;
    while (message.next()) {
      switch (message.field()) {
        case 2: graph_.name = message.text("name"); break;
        case 5: read_initializer(message, initializers++); break;
        case 15: throw fail(Code::unsupported, "the model holds sparse initializers, which are not read: make them dense");
        default: message.skip();
      }
    }
    int64_t nodes = 0, outputs = 0;
    std::vector<Value> declared;
    while (inputs_only.next()) {
      if (inputs_only.field() == 11)
        read_input(inputs_only, inputs++);
      else
        inputs_only.skip();
    }
    while (again.next()) {
      switch (again.field()) {
        case 1: read_node(again.message("node", nodes++)); break;
        case 12: declared.push_back(read_value_info(again.message("output", outputs++))); break;
        default: again.skip();
      }
    }
    for (Value& output : declared) read_output(again, std::move(output));
    if (graph_.outputs.empty()) throw again.error("the graph has no output", "output");
  }

  void read_initializer(Message& message, int64_t index) {
    Message tensor_message = message.message("initializer", index);
    auto [name, tensor] = read_tensor(tensor_message, source_);
    if (name.empty()) throw tensor_message.error("the initializer has no name", "name");
    const ValueId id = define(tensor_message, {.name = name, .dtype = tensor.dtype, .shape = tensor.shape});
    graph_.values[id].constant = std::move(tensor);
  }

  void read_input(Message& message, int64_t index) {
    Message input = message.message("input", index);
    Value value = read_value_info(input);
    // Up to ir_version 3 every initializer is an input too, with its default; nobody gives it another value.
    if (const auto found = ids_.find(value.name); found != ids_.end()) {
      if (graph_.values[found->second].constant) return;
      throw input.error(fmt::format("'{}' is an input twice", value.name), "name");
    }
    if (value.dtype == DType::none) throw fail(Code::unsupported, "input '{}' is not a tensor of a known type", value.name);
    graph_.inputs.push_back(define(input, std::move(value)));
  }

  void read_output(const Message& message, Value declared) {
    const auto found = ids_.find(declared.name);
    if (found == ids_.end()) throw message.error(fmt::format("no node computes the output '{}'", declared.name), "output");
    Value& value = graph_.values[found->second];
    const bool is_computed = !value.constant && std::ranges::find(graph_.inputs, found->second) == graph_.inputs.end();
    if (is_computed) {
      value.dtype = declared.dtype;
      value.shape = std::move(declared.shape);
      value.dimension_names = std::move(declared.dimension_names);
    }
    graph_.outputs.push_back(found->second);
  }

  void read_node(Message message) {
    Node node;
    std::vector<std::string> outputs;
    while (message.next()) {
      switch (message.field()) {
        case 1: node.inputs.push_back(use(message)); break;
        case 2: outputs.emplace_back(message.text("output")); break;
        case 3: node.name = message.text("name"); break;
        case 4: node.op = message.text("op_type"); break;
        case 5: {
          auto [name, value] = read_attribute(message.message("attribute", static_cast<int64_t>(node.attributes.size())), source_);
          if (value) node.attributes.insert_or_assign(name, std::move(*value));
          break;
        }
        case 7: node.domain = message.text("domain"); break;
        default: message.skip();
      }
    }
    if (node.op.empty()) throw message.error("the node has no operator", "op_type");
    if (outputs.empty()) throw message.error(fmt::format("{} '{}' has no outputs", node.op, node.name), "output");
    if (node.domain == "ai.onnx") node.domain = "";
    node.opset = version(message, node);
    if (node.name.empty()) node.name = outputs[0];
    for (std::string& output : outputs) node.outputs.push_back(output.empty() ? kAbsent : define(message, {.name = std::move(output)}));
    while (!node.inputs.empty() && node.inputs.back() == kAbsent) node.inputs.pop_back();
    node.debug_id = static_cast<uint32_t>(graph_.nodes.size() + 1);
    graph_.nodes.push_back(std::move(node));
  }

  int64_t version(const Message& message, const Node& node) const {
    const auto found = opsets_.find(node.domain);
    if (found != opsets_.end()) return found->second;
    if (ir_version_ < 3 && node.domain.empty()) return 1;
    throw message.error(fmt::format("{} '{}' is of domain '{}', whose version the model doesn't import", node.op, node.name, node.domain),
                        "domain");
  }

  ValueId define(const Message& message, Value value) {
    const auto [entry, fresh] = ids_.emplace(value.name, static_cast<ValueId>(graph_.values.size()));
    if (!fresh) throw message.error(fmt::format("'{}' is defined a second time", value.name));
    return graph_.add_value(std::move(value));
  }

  ValueId use(Message& message) const {
    const std::string name(message.text("input"));
    if (name.empty()) return kAbsent;
    const auto found = ids_.find(name);
    if (found == ids_.end())
      throw message.error(fmt::format("no earlier node computes '{}' (the nodes of a model are sorted)", name), "input");
    return found->second;
  }

  TensorSource source_;
  Graph graph_;
  int64_t ir_version_ = 0;
  std::map<std::string, int64_t> opsets_;
  std::unordered_map<std::string, ValueId> ids_;
};

Graph read_model(std::span<const std::byte> bytes, TensorSource source) {
  if (bytes.empty()) throw fail(Code::invalid_model, "the file is empty");
  const size_t looked_at = std::min<size_t>(bytes.size(), 16);
  if (std::ranges::all_of(bytes.first(looked_at), [](std::byte byte) { return byte == std::byte{0}; }))
    throw fail(Code::invalid_model, "the file starts with zeros: a download or copy that did not finish?");
  return Reader(std::move(source)).read(bytes);
}

}  // namespace

Graph read_onnx(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  return read_model(bytes, {.owner = std::move(owner), .external = ExternalData(std::nullopt)});
}

Graph read_onnx(const std::filesystem::path& path) {
  const MappedFile file = map_file(path);
  try {
    return read_model(file.bytes, {.owner = file.owner, .external = ExternalData(path.parent_path())});
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", path.filename().string(), error.what()), error.node());
  }
}

}  // namespace kawara::compiler
