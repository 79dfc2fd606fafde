// SPDX-License-Identifier: Apache-2.0
#include "build_identity.h"

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>

namespace kawara {
namespace {

struct Search {
  uintptr_t address;
  std::string identity;
};

bool holds(const dl_phdr_info& object, uintptr_t address) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const auto& segment = object.dlpi_phdr[i];
    const uintptr_t begin = object.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= begin && address - begin < segment.p_memsz) return true;
  }
  return false;
}

// The description of the first build ID among the notes.
std::string build_id(const char* notes, size_t bytes) {
  const auto padded = [](size_t size) { return (size + 3) / 4 * 4; };
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof note);
    const size_t length = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
    if (length > bytes) return {};
    if (note.n_type == NT_GNU_BUILD_ID) return {notes + sizeof note + padded(note.n_namesz), note.n_descsz};
    notes += length;
    bytes -= length;
  }
  return {};
}

int visit(dl_phdr_info* object, size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  if (!holds(*object, search.address)) return 0;
  for (int i = 0; i < object->dlpi_phnum && search.identity.empty(); ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    search.identity = build_id(reinterpret_cast<const char*>(object->dlpi_addr + segment.p_vaddr), segment.p_memsz);
  }
  return 1;
}

}  // namespace

std::string build_identity() {
  Search search{.address = reinterpret_cast<uintptr_t>(&build_identity), .identity = {}};
  dl_iterate_phdr(visit, &search);
  return search.identity;
}

}  // namespace kawara
