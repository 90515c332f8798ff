// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/pending_syndrome.h"

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "cpu/exception_level.h"
#include "cpu/syndrome.h"

namespace pkvmemu::cpu {
namespace {

/// The engine's own structure: 32-bit syndrome, 32-bit AArch32 status, 64-bit address, target
/// level.
struct Layout {
  std::uint32_t syndrome;
  std::uint32_t aarch32_status;
  std::uint64_t address;
  std::uint32_t target_el;
};

Layout layout_at(const uc_context* context, std::size_t offset) {
  Layout layout{};
  std::memcpy(&layout, reinterpret_cast<const std::byte*>(context) + offset, sizeof(layout));
  return layout;
}

struct Probe {
  const Engine* engine;
  std::optional<std::size_t> offset;
};

constexpr std::uint64_t probe_syndrome = syndrome(ExceptionClass::hvc64, 0x1234);

void on_probe(uc_engine* engine, std::uint32_t /*number*/, void* user) noexcept {
  auto& probe = *static_cast<Probe*>(user);
  const EngineState state(*probe.engine);
  const std::size_t size = uc_context_size(engine);
  for (std::size_t offset = 0; offset + sizeof(Layout) <= size; offset += 4) {
    const Layout layout = layout_at(state.raw(), offset);
    if (layout.syndrome != probe_syndrome || layout.target_el != 2) continue;
    probe.offset = offset;
    break;
  }
  uc_emu_stop(engine);
}

std::size_t find_offset() {
  constexpr std::uint64_t page = 0x1000;
  alignas(page) static std::array<std::uint32_t, page / 4> code{0xd402'4682};  // hvc #0x1234
  auto engine = Engine::open();
  assert(engine && "a second engine does not open");
  Probe probe{.engine = &*engine, .offset = {}};
  uc_hook hook = 0;
  Engine::check(uc_mem_map_ptr(engine->raw(), page, page, UC_PROT_ALL, code.data()));
  Engine::check(uc_hook_add(engine->raw(), &hook, UC_HOOK_INTR, reinterpret_cast<void*>(&on_probe),
                            &probe, 1, 0));
  engine->set(reg::scr_el3, 0x531);
  uc_emu_start(engine->raw(), page, 0, 0, 0);
  assert(probe.offset && "the engine's pending exception is not where it was");
  return probe.offset.value_or(0);
}

}  // namespace

PendingSyndrome read_pending_syndrome(const Engine& engine) {
  static const std::size_t offset = find_offset();
  const EngineState state(engine);
  const Layout layout = layout_at(state.raw(), offset);
  return {.esr = layout.syndrome, .far = layout.address, .target_el = layout.target_el};
}

}  // namespace pkvmemu::cpu
