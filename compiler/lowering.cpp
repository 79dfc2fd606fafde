// SPDX-License-Identifier: Apache-2.0
#include "lowering.h"

#include <algorithm>
#include <limits>
#include <set>

#include "elementwise.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

constexpr size_t kCopyLoopsMax = 6;

std::string operators_of(const Node& group) {
  if (group.body.empty()) return group.op;
  std::string names;
  for (const Node& node : group.body) names += (names.empty() ? "" : "+") + node.op;
  return names;
}

// Multiply-accumulate steps; a command's extents multiply to less than 2^40.
uint64_t product_of(std::initializer_list<uint32_t> extents) {
  uint64_t product = 1;
  for (const uint32_t extent : extents) {
    if (extent > 1 && product >= (uint64_t{1} << 40) / extent)
      throw fail(Code::unsupported, "a command's extents must multiply to less than 2^40");
    product *= extent;
  }
  return product;
}

// The value of a tensor of one element, where a program's constant can hold it.
constexpr const char* kBorder = "kawara.border";  // domain of the copies of inputs and outputs, which are no nodes of the model

std::optional<Register> immediate(Points& points, const Tensor& tensor) {
  if (element_count(tensor.shape) != 1) return std::nullopt;
  if (tensor.dtype == DType::f32) return points.constant(tensor.as<float>()[0]);
  if (kind(tensor.dtype) == DTypeKind::FLOAT || bits(tensor.dtype) < 8) return std::nullopt;
  return points.constant(compute_type(tensor.dtype), integers_of(tensor)[0]);
}

}  // namespace

Commands Lowering::run(const Waiting& waiting) {
  uint32_t debug_id = 0;
  for (const Node& node : graph_.nodes) {
    debug_id = std::max(debug_id, node.debug_id);
    for (const Node& member : node.body) debug_id = std::max(debug_id, member.debug_id);
  }
  const auto border = [&](ValueId value, std::string op) {
    Node node;
    node.op = std::move(op);
    node.domain = kBorder;
    node.name = graph_.values[value].name;
    node.debug_id = ++debug_id;
    return node;
  };
  for (uint32_t i = 0; i < graph_.inputs.size(); ++i) {
    const ValueId value = graph_.inputs[i];
    const View host = storage_.create(Buffer::Role::input, dtype(value), shape(value), i);
    storage_.set(value, storage_.create(Buffer::Role::arena, dtype(value), shape(value)));
    if (!graph_.consumers(value).empty() || graph_.is_output(value))
      copy(border(value, "Input"), KAWARA_ENGINE_DMA_IN, dtype(value), shape(value), host, view(value));
  }
  for (const Node& node : graph_.nodes) {
    waiting.look();
    lower(node);
  }
  for (uint32_t i = 0; i < graph_.outputs.size(); ++i) {
    const ValueId value = graph_.outputs[i];
    const View from = view(value);
    const View host = storage_.create(Buffer::Role::output, dtype(value), shape(value), i);
    copy(border(value, "Output"), KAWARA_ENGINE_DMA_OUT, dtype(value), shape(value), from, host);
  }
  return {.commands = std::move(commands_), .buffers = storage_.buffers()};
}

void Lowering::lower(const Node& node) {
  if (!node.body.empty()) return lower_group(node);
  const Operator* op = find_operator(node);
  if (!op) throw Error(Code::unsupported, fmt::format("{} '{}': the chip has no such operator", node.op, node.name), node.name);
  switch (op->kind) {
    case OperatorKind::view: return lower_view(node, *op);
    case OperatorKind::elementwise:
    case OperatorKind::root: return lower_group(node);
    case OperatorKind::rewritten: break;
  }
  throw Error(Code::internal, fmt::format("{} '{}': no pass replaced it", node.op, node.name), node.name);
}

void Lowering::lower_view(const Node& node, const Operator& op) {
  const ValueId input = node.inputs.at(0), output = node.outputs.at(0);
  auto seen = op.view(graph_, node, view(input));
  if (!seen) {
    const View dense = storage_.create(Buffer::Role::arena, dtype(input), shape(input));
    copy(node, KAWARA_ENGINE_DMA_IN, dtype(input), shape(input), view(input), dense);
    seen = op.view(graph_, node, dense);
  }
  if (!seen) throw Error(Code::internal, fmt::format("{} '{}': no view of a dense tensor", node.op, node.name), node.name);
  storage_.set(output, *seen);
}

// A group that breaks a limit of the chip (streams, registers, constants, …) becomes two: fusing never makes a model fail.
void Lowering::lower_group(const Node& group) {
  const bool empty =
      std::ranges::all_of(group.outputs, [&](ValueId value) { return value == kAbsent || element_count(shape(value)) == 0; });
  if (empty) {
    for (const ValueId value : group.outputs)
      if (value != kAbsent) place(value);
    return;
  }
  const size_t commands = commands_.size();
  try {
    const Operator* op = find_operator(root(group));
    if (!op) throw fail(Code::internal, "a group's root is no operator");
    if (op->kind == OperatorKind::root) return op->lower(*this, group);
    const Shape& points = shape(root(group).outputs.at(0));
    std::vector<size_t> loop_of(points.size());
    for (size_t i = 0; i < loop_of.size(); ++i) loop_of[i] = i;
    Section section(points);
    finish(section, group, {}, loop_of);
    vector(group, std::move(section));
  } catch (const Error& error) {
    if (error.code() != Code::unsupported) throw;
    if (group.body.size() < 2)
      throw Error(error.code(), fmt::format("{} '{}': {}", root(group).op, root(group).name, error.what()), root(group).name);
    commands_.resize(commands);
    const auto [first, second] = split(group);
    lower_group(first);
    lower_group(second);
  }
}

std::pair<Node, Node> Lowering::split(const Node& group) const {
  const auto middle = group.body.begin() + static_cast<ptrdiff_t>(group.body.size() / 2);
  const auto part = [&](auto begin, auto end, auto others_begin, auto others_end) {
    Node node;
    node.op = "Group";
    node.domain = "kawara";
    node.name = begin->name;
    node.debug_id = begin->debug_id;
    node.body.assign(begin, end);
    std::set<ValueId> made, needed(group.outputs.begin(), group.outputs.end());
    for (auto other = others_begin; other != others_end; ++other) needed.insert(other->inputs.begin(), other->inputs.end());
    for (auto inner = begin; inner != end; ++inner) {
      for (const ValueId value : inner->inputs)
        if (value != kAbsent && !made.contains(value) && std::ranges::find(node.inputs, value) == node.inputs.end())
          node.inputs.push_back(value);
      for (const ValueId value : inner->outputs) {
        made.insert(value);
        if (value != kAbsent && needed.contains(value)) node.outputs.push_back(value);
      }
    }
    return node;
  };
  return {part(group.body.begin(), middle, middle, group.body.end()),
          part(middle, group.body.end(), group.body.begin(), group.body.begin())};
}

std::vector<int64_t> Lowering::strides(const View& view, const Shape& own, const Shape& shape, std::span<const size_t> loop_of,
                                       size_t loops) const {
  if (own.size() > shape.size()) throw fail(Code::internal, "a value of rank {} is broadcast to rank {}", own.size(), shape.size());
  std::vector<int64_t> strides(loops);
  const size_t missing = shape.size() - own.size();
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] == 1) continue;
    if (own[i] != shape[missing + i]) throw fail(Code::internal, "extent {} is broadcast to {}", own[i], shape[missing + i]);
    strides[loop_of[missing + i]] += view.strides[i];
  }
  return strides;
}

Register Lowering::load(Section& section, ValueId value, const Shape& shape, std::span<const size_t> loop_of) {
  const Value& known = graph_.values[value];
  if (known.constant)
    if (const auto constant = immediate(section.points, *known.constant)) return *constant;
  const View& from = view(value);
  const auto steps = strides(from, *known.shape, shape, loop_of, section.loops());
  return section.points.load(section.input(section.walk(from, known.dtype, steps)), known.dtype);
}

Register Lowering::run_node(Section& section, const Node& node, const Shape& shape, std::span<const size_t> loop_of,
                            std::map<ValueId, Register>& known) {
  const Operator* op = find_operator(node);
  if (!op || !op->point) throw Error(Code::internal, fmt::format("{} '{}' has no code for a point", node.op, node.name), node.name);
  if (this->shape(node.outputs.at(0)) != shape)
    throw Error(Code::internal, fmt::format("{} '{}' has another shape than its group", node.op, node.name), node.name);
  std::vector<Register> inputs;
  for (const ValueId value : node.inputs) {
    if (value == kAbsent) {
      inputs.push_back({});
    } else if (const auto at = known.find(value); at != known.end()) {
      inputs.push_back(at->second);
    } else {
      inputs.push_back(load(section, value, shape, loop_of));
    }
  }
  return op->point(section.points, graph_, node, inputs);
}

void Lowering::finish(Section& section, const Node& group, Register result, std::span<const size_t> loop_of) {
  const Node& first = root(group);
  const Shape& points = shape(first.outputs.at(0));
  std::map<ValueId, Register> known;
  known[first.outputs[0]] = result.type == DType::none ? run_node(section, first, points, loop_of, known) : result;
  for (size_t i = 1; i < group.body.size(); ++i)
    known[group.body[i].outputs.at(0)] = run_node(section, group.body[i], points, loop_of, known);
  for (const ValueId value : group.outputs) {
    if (value == kAbsent) continue;
    const View& to = place(value);
    const auto steps = strides(to, shape(value), points, loop_of, section.loops());
    section.points.store(section.output(section.walk(to, dtype(value), steps)), known.at(value));
  }
}

void Lowering::push(const Node& group, Command command) {
  command.debug_id = root(group).debug_id;
  if (group.domain != kBorder) command.members.push_back(command.debug_id);
  command.absorbed = group.absorbed;
  for (const Node& node : group.body) {
    command.members.push_back(node.debug_id);
    command.absorbed.insert(command.absorbed.end(), node.absorbed.begin(), node.absorbed.end());
  }
  command.node = root(group).name;
  command.operators = operators_of(group);
  commands_.push_back(std::move(command));
}

void Lowering::vector(const Node& group, Section section) {
  Command command;
  command.engine = KAWARA_ENGINE_VE;
  command.body = hw::blank<kawara_vector>();
  command.section = section.encode_vector(command.buffers, command.accesses);
  push(group, std::move(command));
}

void Lowering::gemm(const Node& group, kawara_gemm body, const Operand& a, const Operand& b, Section section) {
  Command command;
  command.engine = KAWARA_ENGINE_ME;
  const auto place = [&](kawara_matrix& matrix, const Operand& operand) {
    matrix.data = reference_operand(command.buffers, operand.view.buffer, operand.dtype, operand.view.offset);
    matrix.dtype = static_cast<uint8_t>(operand.dtype);
    command.accesses.push_back(access_of(operand.view.buffer, operand.dtype, operand.view.offset, operand.extents, operand.strides, false));
  };
  place(body.a, a);
  place(body.b, b);
  command.macs = product_of({body.G, body.H, body.M, body.N, body.K});
  command.section = section.encode_epilogue(command.buffers, command.accesses);
  command.body = body;
  push(group, std::move(command));
}

void Lowering::conv(const Node& group, kawara_conv body, const Operand& a, const Operand& b, Section section) {
  Command command;
  command.engine = KAWARA_ENGINE_ME;
  const auto place = [&](const Operand& operand) {
    command.accesses.push_back(access_of(operand.view.buffer, operand.dtype, operand.view.offset, operand.extents, operand.strides, false));
    return reference_operand(command.buffers, operand.view.buffer, operand.dtype, operand.view.offset);
  };
  body.a = place(a);
  body.b = place(b);
  body.a_dtype = static_cast<uint8_t>(a.dtype);
  body.b_dtype = static_cast<uint8_t>(b.dtype);
  command.macs = product_of(
      {body.N, body.groups, body.OC, body.IC, body.out[0], body.out[1], body.out[2], body.kernel[0], body.kernel[1], body.kernel[2]});
  command.section = section.encode_epilogue(command.buffers, command.accesses);
  command.body = body;
  push(group, std::move(command));
}

void Lowering::copy(const Node& node, kawara_engine engine, DType dtype, const Shape& shape, const View& from, const View& to) {
  if (element_count(shape) == 0) return;
  // Two nibbles share a byte: 4-bit tensors are moved whole, as bytes.
  if (bits(dtype) == 4) {
    const bool whole = from.strides == dense_strides(shape) && to.strides == from.strides && from.offset == 0 && to.offset == 0;
    if (!whole)
      throw Error(Code::unsupported, fmt::format("{} '{}': elements of 4 bits can't be rearranged", node.op, node.name), node.name);
    const Shape bytes{(element_count(shape) + 1) / 2};
    return copy(node, engine, DType::u8, bytes, {from.buffer, 0, {1}}, {to.buffer, 0, {1}});
  }
  // Neighbouring dimensions that both sides step through as through one are joined.
  std::vector<int64_t> extents, source, target;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    const bool joined = !extents.empty() && source.back() == from.strides[i] * shape[i] && target.back() == to.strides[i] * shape[i] &&
                        extents.back() * shape[i] <= std::numeric_limits<uint32_t>::max();
    if (joined) {
      extents.back() *= shape[i];
      source.back() = from.strides[i];
      target.back() = to.strides[i];
    } else {
      extents.push_back(shape[i]);
      source.push_back(from.strides[i]);
      target.push_back(to.strides[i]);
    }
  }
  if (extents.size() > kCopyLoopsMax)
    throw Error(Code::unsupported,
                fmt::format("{} '{}': a copy walks through at most {} dimensions that can't be joined, this needs {}", node.op, node.name,
                            kCopyLoopsMax, extents.size()),
                node.name);
  Command command;
  command.engine = engine;
  auto body = hw::blank<kawara_copy>();
  body.src = reference_operand(command.buffers, from.buffer, dtype, from.offset);
  body.dst = reference_operand(command.buffers, to.buffer, dtype, to.offset);
  body.dtype = static_cast<uint8_t>(dtype);
  const size_t first = kCopyLoopsMax - extents.size();
  for (size_t i = 0; i < extents.size(); ++i) {
    body.extent[first + i] = body.src_extent[first + i] = extent_field(extents[i]);
    body.src_stride[first + i] = source[i];
    body.dst_stride[first + i] = target[i];
  }
  command.accesses = {access_of(from.buffer, dtype, from.offset, extents, source, false),
                      access_of(to.buffer, dtype, to.offset, extents, target, true)};
  command.body = body;
  push(node, std::move(command));
}

}  // namespace kawara::compiler
