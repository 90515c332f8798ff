// SPDX-License-Identifier: GPL-2.0-only
// Disassembling AArch64. Capstone is behind this class; nobody else includes its header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "code/instruction.h"
#include "support/result.h"

namespace pkvmemu::code {

class Disassembler {
 public:
  static Result<Disassembler> create();

  Disassembler(Disassembler&&) noexcept;
  Disassembler& operator=(Disassembler&&) noexcept;
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;
  ~Disassembler();

  /// Operation::invalid for a word that is no instruction.
  [[nodiscard]] Instruction decode(std::uint32_t word, std::uint64_t address) const;
  /// "ldr x8, [x9, #0x28]"; ".word 0x..." for no instruction.
  [[nodiscard]] std::string text(std::uint32_t word, std::uint64_t address) const;

 private:
  struct Engine;
  explicit Disassembler(std::unique_ptr<Engine> engine);

  std::unique_ptr<Engine> engine_;
};

/// "5.0.7": the library that this program was linked with.
std::string disassembler_version();

}  // namespace pkvmemu::code
