// SPDX-License-Identifier: GPL-2.0-only
#include "device/pl011.h"

#include <utility>

#include "support/bits.h"

namespace pkvmemu::device {
namespace {

/// DDI 0183 3.2, summary of registers.
enum Offset : std::uint64_t {
  data = 0x00,
  status = 0x04,
  flags = 0x18,
  control = 0x30,
  fifo_level = 0x34,
  raw_interrupts = 0x3c,
  masked_interrupts = 0x40,
  interrupt_clear = 0x44,
  identification = 0xfe0,
  end = 0x1000,
};

enum class Behaviour : std::uint8_t { storage, read_only, write_only, transmit };

struct Row {
  std::uint64_t offset;
  Behaviour behaviour;
  std::uint16_t reset;
};

/// Registers that are more than storage with a reset value of 0.
constexpr std::array rows{
    Row{data, Behaviour::transmit, 0},
    Row{status, Behaviour::read_only, 0},
    Row{flags, Behaviour::read_only, 0x90},   // TXFE, RXFE
    Row{control, Behaviour::storage, 0x300},  // TXE, RXE
    Row{fifo_level, Behaviour::storage, 0x12},
    Row{raw_interrupts, Behaviour::read_only, 0},
    Row{masked_interrupts, Behaviour::read_only, 0},
    Row{interrupt_clear, Behaviour::write_only, 0},
};

/// UARTPeriphID0..3 and UARTPCellID0..3, revision r1p5's numbers.
constexpr std::array<std::uint8_t, 8> id_bytes{0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

constexpr Behaviour behaviour_of(std::uint64_t offset) {
  for (const Row& row : rows)
    if (row.offset == offset) return row.behaviour;
  return Behaviour::storage;
}

}  // namespace

Pl011::Pl011(Sink sink) : sink_(std::move(sink)) {
  for (const Row& row : rows)
    registers_[row.offset / 4] = row.reset;
}

std::uint64_t Pl011::read(std::uint64_t offset, unsigned /*size*/) noexcept {
  if (offset >= identification && offset < end && is_aligned(offset, 4))
    return id_bytes[(offset - identification) / 4];
  const std::uint64_t index = offset / 4;
  return is_aligned(offset, 4) && index < registers_.size() ? registers_[index] : 0;
}

void Pl011::write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) noexcept {
  if (!is_aligned(offset, 4) || offset / 4 >= registers_.size()) return;
  switch (behaviour_of(offset)) {
    case Behaviour::transmit:
      sink_(static_cast<char>(value & 0xff));
      break;
    case Behaviour::storage:
      registers_[offset / 4] = static_cast<std::uint16_t>(value);
      break;
    case Behaviour::read_only:
    case Behaviour::write_only:
      break;
  }
}

}  // namespace pkvmemu::device
