// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a module that is inspected: facts, as text and as JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "inspect/inspect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pkvmemu;
  static const code::Disassembler disassembler = code::Disassembler::create().value();
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = image::KoFile::open(bytes);
  if (!file) return 0;
  const inspect::Facts facts = inspect::inspect(*file, bytes, {}, disassembler);
  if (to_text(facts, "m.ko", inspect::Detail::everything, inspect::Colour::off).empty())
    std::abort();
  if (to_json(facts, "m.ko").empty()) std::abort();
  return 0;
}
