// SPDX-License-Identifier: GPL-2.0-only
// The MMIO bus: which device answers at which physical address. The CPU reaches each window through
// its own dispatch; the bus keeps the list and its invariants.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/cpu.h"
#include "support/address.h"

namespace pkvmemu::device {

/// A device is a window of registers: 8-, 16- and 32-bit accesses arrive as they are, a 64-bit one
/// as two of 32 bits, the low half first.
using Device = cpu::MmioWindow;

class Bus {
 public:
  /// `device` must outlive the CPU that the bus is connected to; its window overlaps no other.
  void attach(Pa base, std::uint64_t size, Device& device, std::string_view name);

  /// Makes every attached device visible to `cpu`.
  Result<void> connect(cpu::Cpu& cpu) const;

 private:
  struct Attachment {
    Pa base;
    std::uint64_t size = 0;
    Device* device = nullptr;
    std::string_view name;
  };
  std::vector<Attachment> attachments_;
};

}  // namespace pkvmemu::device
