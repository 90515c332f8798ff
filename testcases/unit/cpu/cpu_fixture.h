// SPDX-License-Identifier: GPL-2.0-only
// A CPU on an empty board: RAM and a bare window of MMIO, programs as words, callbacks recorded.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "cpu/cpu.h"

namespace pkvmemu::cpu {

/// Instruction words that the tests need, by hand (Arm ARM C6).
namespace a64 {
inline constexpr std::uint32_t nop = 0xd503'201f;
inline constexpr std::uint32_t wfi = 0xd503'207f;
inline constexpr std::uint32_t eret = 0xd69f'03e0;
inline constexpr std::uint32_t isb = 0xd503'3fdf;
inline constexpr std::uint32_t branch_to_self = 0x1400'0000;
constexpr std::uint32_t hvc(unsigned imm) {
  return 0xd400'0002 | imm << 5;
}
constexpr std::uint32_t svc(unsigned imm) {
  return 0xd400'0001 | imm << 5;
}
constexpr std::uint32_t smc(unsigned imm) {
  return 0xd400'0003 | imm << 5;
}
constexpr std::uint32_t branch(int words) {
  return 0x1400'0000 | (static_cast<std::uint32_t>(words) & 0x3ff'ffff);
}
constexpr std::uint32_t movz(unsigned rd, unsigned imm) {
  return 0xd280'0000 | imm << 5 | rd;
}
constexpr std::uint32_t add(unsigned rd, unsigned rn, unsigned imm) {
  return 0x9100'0000 | imm << 10 | rn << 5 | rd;
}
constexpr std::uint32_t subs(unsigned rd, unsigned rn, unsigned imm) {
  return 0xf100'0000 | imm << 10 | rn << 5 | rd;
}
constexpr std::uint32_t branch_not_equal(int words) {
  return 0x5400'0001 | (static_cast<std::uint32_t>(words) & 0x7'ffff) << 5;
}
/// LDR Xt, [Xn] and STR Xt, [Xn]; their 32-bit forms.
constexpr std::uint32_t ldr(unsigned rt, unsigned rn) {
  return 0xf940'0000 | rn << 5 | rt;
}
constexpr std::uint32_t str(unsigned rt, unsigned rn) {
  return 0xf900'0000 | rn << 5 | rt;
}
constexpr std::uint32_t ldr_w(unsigned rt, unsigned rn) {
  return 0xb940'0000 | rn << 5 | rt;
}
constexpr std::uint32_t str_w(unsigned rt, unsigned rn) {
  return 0xb900'0000 | rn << 5 | rt;
}
/// `encoding` as in SysReg.
constexpr std::uint32_t mrs(unsigned rt, std::uint32_t encoding) {
  return 0xd520'0000 | encoding << 5 | rt;
}
constexpr std::uint32_t msr(std::uint32_t encoding, unsigned rt) {
  return 0xd500'0000 | encoding << 5 | rt;
}
}  // namespace a64

class RecordingBoard : public Board {
 public:
  void secure_monitor_call() noexcept override {
    ++secure_calls;
    cpu->stop();
  }
  void exception_entered(const ExceptionEntry& entry) noexcept override {
    entries.push_back(entry);
  }
  void exception_returned(unsigned from_el, unsigned to_el) noexcept override {
    returns.emplace_back(from_el, to_el);
  }
  void code_reached(std::uint64_t address) noexcept override {
    reached.push_back(address);
    if (on_code) on_code();
  }

  Cpu* cpu = nullptr;
  unsigned secure_calls = 0;
  std::vector<ExceptionEntry> entries;
  std::vector<std::pair<unsigned, unsigned>> returns;
  std::vector<std::uint64_t> reached;
  std::function<void()> on_code;
};

class RecordingWindow : public MmioWindow {
 public:
  struct Access {
    char kind;
    std::uint64_t offset;
    unsigned size;
    std::uint64_t value;
    bool operator==(const Access&) const = default;
  };
  std::uint64_t read(std::uint64_t offset, unsigned size) noexcept override {
    accesses.push_back({'r', offset, size, 0});
    return 0x1111'2222 + offset;
  }
  void write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept override {
    accesses.push_back({'w', offset, size, value});
  }
  std::vector<Access> accesses;
};

/// 1 MiB of RAM at `ram_base`, a window at `window_base`. The CPU starts at EL2h with the MMU off.
class CpuFixture : public ::testing::Test {
 public:
  static constexpr std::uint64_t ram_base = 0x4000'0000;
  static constexpr std::uint64_t ram_size = 0x10'0000;
  static constexpr std::uint64_t window_base = 0x0900'0000;
  static constexpr std::uint64_t code = ram_base;
  static constexpr std::uint64_t el2_vectors = ram_base + 0x1'0000;
  static constexpr std::uint64_t el1_vectors = ram_base + 0x2'0000;
  static constexpr std::uint64_t data = ram_base + 0x4'0000;
  static constexpr std::uint64_t plenty = 10'000'000;

  CpuFixture() : ram_(ram_size / 8) {
    auto created = Cpu::create(board_);
    EXPECT_TRUE(created);
    cpu_ = std::move(*created);
    board_.cpu = cpu_.get();
    const std::span<std::uint64_t> words(ram_);
    EXPECT_TRUE(cpu_->map_ram(Pa{ram_base}, std::as_writable_bytes(words)));
    EXPECT_TRUE(cpu_->map_mmio(Pa{window_base}, 0x1000, window_));
    cpu_->set_pc(code);
  }

  void put(std::uint64_t address, std::initializer_list<std::uint32_t> words) {
    std::memcpy(at(address), std::data(words), words.size() * sizeof(std::uint32_t));
  }
  std::byte* at(std::uint64_t address) {
    return std::as_writable_bytes(std::span(ram_)).data() + (address - ram_base);
  }
  std::uint64_t load(std::uint64_t address) {
    std::uint64_t value = 0;
    std::memcpy(&value, at(address), sizeof(value));
    return value;
  }

  RecordingBoard board_;
  RecordingWindow window_;
  /// 8-byte elements; Unicorn wants page-aligned addresses in the guest only.
  std::vector<std::uint64_t> ram_;
  std::unique_ptr<Cpu> cpu_;
};

}  // namespace pkvmemu::cpu
