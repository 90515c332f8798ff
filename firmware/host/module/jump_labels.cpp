// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/jump_labels.h"

#include <optional>
#include <span>

#include "host/module/instructions.h"

namespace pkvmemu::kmod {
namespace {

/// struct jump_entry.
struct Record {
  std::int32_t code;
  std::int32_t target;
  std::int64_t key;

  static constexpr std::int64_t inverted = 1;
  static constexpr std::int64_t flags = 3;
};
static_assert(sizeof(Record) == 16);

struct Jump {
  KernVa code;
  KernVa target;
  KernVa key;
  bool inverted;

  [[nodiscard]] std::uint32_t instruction(bool enabled) const {
    return enabled != inverted ? branch(code, target) : nop;
  }
};

template <typename Visit>
void for_each_jump(const Module& module, Visit visit) {
  const auto section = module.file.elf().find_section("__jump_table");
  if (!section || section->index >= module.sections.size()) return;
  const PlacedSection& table = module.sections[section->index];
  for (std::size_t at = 0; table.bytes.size() - at >= sizeof(Record); at += sizeof(Record)) {
    Record record{};
    __builtin_memcpy(&record, table.bytes.data() + at, sizeof(record));
    const std::uint64_t here = table.address + at;
    visit(Jump{.code = relative(here + offsetof(Record, code), record.code),
               .target = relative(here + offsetof(Record, target), record.target),
               .key = relative(here + offsetof(Record, key), record.key & ~Record::flags),
               .inverted = (record.key & Record::inverted) != 0});
  }
}

/// The first word of struct static_key, where this module has it.
std::optional<bool> key_in(const Module& module, KernVa key) {
  std::int32_t enabled = 0;
  const auto bytes = module.bytes_at(key, sizeof(enabled));
  if (bytes.empty()) return std::nullopt;
  __builtin_memcpy(&enabled, bytes.data(), sizeof(enabled));
  return enabled > 0;
}

std::optional<bool> is_enabled(KernelServices& services, std::span<const Module> others,
                               KernVa key) {
  for (const Module& other : others) {
    if (other.state == ModuleState::free) continue;
    if (const auto enabled = key_in(other, key)) return enabled;
  }
  return services.key_enabled(key);
}

/// EL2 code has no static keys (pkvm-abi.md 1.8): its pages may be the hypervisor's by now.
bool is_el2_code(const Module& module, KernVa code) {
  return module.hyp.present && code >= module.hyp.start && code < module.hyp.end;
}

}  // namespace

void prepare_jumps(KernelServices& services, std::span<const Module> others, Module& module) {
  for_each_jump(module, [&](const Jump& jump) {
    const auto code = module.bytes_at(jump.code, instruction_size);
    const auto enabled = is_enabled(services, others, jump.key);
    if (code.empty() || !enabled || is_el2_code(module, jump.code)) return;
    put_instruction(code, jump.instruction(*enabled));
  });
}

unsigned switch_jumps(KernelServices& services, const Module& module, KernVa key, bool enabled) {
  unsigned count = 0;
  for_each_jump(module, [&](const Jump& jump) {
    // Init code is gone once init has run.
    if (jump.key != key || !module.contains(jump.code) || is_el2_code(module, jump.code)) return;
    services.patch_code(jump.code, jump.instruction(enabled));
    ++count;
  });
  return count;
}

}  // namespace pkvmemu::kmod
