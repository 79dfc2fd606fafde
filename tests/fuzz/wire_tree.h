// SPDX-License-Identifier: Apache-2.0
// A protobuf message as a tree of fields, to change one place of it and write lengths that fit again. Knows no schema:
// bytes that read as a message are taken for one.
#pragma once

#include <optional>

#include "fuzz/target.h"

namespace kawara::fuzz {

struct WireField {
  uint64_t tag = 0;  // number and wire type
  uint64_t value = 0;
  std::string text;               // of a length-delimited field
  std::vector<WireField> fields;  // of one that is a message
  bool is_message = false;
};

inline std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

inline std::optional<std::vector<WireField>> parse_wire(std::string_view bytes, int depth = 0) {
  constexpr int kDeepest = 12;
  if (depth > kDeepest) return std::nullopt;
  std::vector<WireField> fields;
  while (!bytes.empty()) {
    const auto tag = take_varint(bytes);
    if (!tag || *tag < 8) return std::nullopt;
    WireField& field = fields.emplace_back();
    field.tag = *tag;
    const auto take = [&](size_t size) {
      if (size > bytes.size()) return false;
      field.text = bytes.substr(0, size);
      bytes.remove_prefix(size);
      return true;
    };
    switch (*tag & 7) {
      case 0: {
        const auto value = take_varint(bytes);
        if (!value) return std::nullopt;
        field.value = *value;
        break;
      }
      case 1:
        if (!take(8)) return std::nullopt;
        break;
      case 5:
        if (!take(4)) return std::nullopt;
        break;
      case 2: {
        const auto size = take_varint(bytes);
        if (!size || !take(*size)) return std::nullopt;
        if (auto inner = parse_wire(field.text, depth + 1); inner && !inner->empty()) {
          field.fields = std::move(*inner);
          field.is_message = true;
        }
        break;
      }
      default: return std::nullopt;
    }
  }
  return fields;
}

inline void put_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

inline std::string write_wire(const std::vector<WireField>& fields) {
  std::string bytes;
  for (const WireField& field : fields) {
    put_varint(bytes, field.tag);
    if ((field.tag & 7) == 0) {
      put_varint(bytes, field.value);
    } else if ((field.tag & 7) == 2) {
      const std::string text = field.is_message ? write_wire(field.fields) : field.text;
      put_varint(bytes, text.size());
      bytes += text;
    } else {
      bytes += field.text;
    }
  }
  return bytes;
}

// Where a field lies: the list that holds it, and its place there.
struct WirePlace {
  std::vector<WireField>* list = nullptr;
  size_t index = 0;
  WireField& field() const { return (*list)[index]; }
};

inline void find_places(std::vector<WireField>& fields, std::vector<WirePlace>& places) {
  for (size_t i = 0; i < fields.size(); ++i) {
    places.push_back({&fields, i});
    if (fields[i].is_message) find_places(fields[i].fields, places);
  }
}

inline void spoil_field(WireField& field, std::mt19937& random) {
  if ((field.tag & 7) == 0) {
    field.value = random() % 3 == 0 ? field.value + random() % 5 - 2 : awkward(random);
    return;
  }
  if (field.is_message) {  // its fields go somewhere else or come twice
    std::vector<WireField>& fields = field.fields;
    const size_t a = random() % fields.size(), b = random() % fields.size();
    std::swap(fields[a], fields[b]);
    return;
  }
  std::string& text = field.text;
  switch (random() % 5) {
    case 0: text.insert(random() % (text.size() + 1), 1, static_cast<char>(random())); break;
    case 1:
      if ((field.tag & 7) == 2) text.resize(text.size() / 2);
      break;
    case 2:
      if ((field.tag & 7) == 2) text += text;
      break;
    default:
      if (!text.empty()) text[random() % text.size()] = static_cast<char>(awkward(random));
  }
  if ((field.tag & 7) == 1) text.resize(8);
  if ((field.tag & 7) == 5) text.resize(4);
}

// One change to a message: a value, or a field removed, repeated, or replaced by another of the same kind from elsewhere.
inline void spoil_wire(std::vector<WireField>& fields, std::mt19937& random) {
  std::vector<WirePlace> places;
  find_places(fields, places);
  if (places.empty()) return;
  const WirePlace place = places[random() % places.size()];
  switch (random() % 6) {
    case 0: place.list->erase(place.list->begin() + static_cast<ptrdiff_t>(place.index)); return;
    case 1: {
      const WireField copy = place.field();
      place.list->insert(place.list->begin() + static_cast<ptrdiff_t>(random() % (place.list->size() + 1)), copy);
      return;
    }
    case 2:
    case 3: {
      std::vector<WirePlace> alike;
      for (const WirePlace& other : places)
        if (other.field().tag == place.field().tag && other.field().is_message == place.field().is_message) alike.push_back(other);
      const WireField copy = alike[random() % alike.size()].field();
      place.field() = copy;
      return;
    }
    default: spoil_field(place.field(), random);
  }
}

}  // namespace kawara::fuzz
