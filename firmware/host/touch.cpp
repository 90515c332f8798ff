// SPDX-License-Identifier: GPL-2.0-only
#include "host/touch.h"

#include <array>

#include "host/arch.h"
#include "host/exceptions.h"
#include "host/memory.h"

namespace pkvmemu::host {

namespace {

/// touch.S keeps here what it needs to come back.
struct Context {
  std::array<std::uint64_t, 14> saved;  ///< x18 to x30, SP
};

struct Row {
  Access access;
  bool ram;
  Attributes attributes;
  void (*code)();  ///< of touch.S: x1 VA, x2 value
};

extern "C" {
// touch.S. The first one returns 0 when `code` returned, 1 after touch_resume.
std::uint64_t touch_call(Context* context, std::uint64_t va, std::uint64_t* value, void (*code)());
void touch_resume();
void touch_read_8();
void touch_read_4();
void touch_write_8();
void touch_write_4();
void touch_execute();
}

constinit Context context{};
/// What comes of it; null when nothing is being touched.
constinit Touched* pending = nullptr;

bool recover(ExceptionFrame& frame) {
  if (pending == nullptr) return false;
  pending->abort = true;
  pending->esr = frame.esr;
  // Otherwise the register holds what an earlier abort left, or nothing that is defined.
  pending->far = has_fault_address(frame.esr) ? frame.far : 0;
  pending = nullptr;
  frame.x[0] = reinterpret_cast<std::uint64_t>(&context);
  frame.elr = reinterpret_cast<std::uint64_t>(&touch_resume);
  return true;
}

const Row& row_of(Access access, Pa pa) {
  static constexpr std::array rows = {
      Row{.access = Access::read,
          .ram = true,
          .attributes = attributes::kernel_data,
          .code = touch_read_8},
      Row{.access = Access::read,
          .ram = false,
          .attributes = attributes::device,
          .code = touch_read_4},
      Row{.access = Access::write,
          .ram = true,
          .attributes = attributes::kernel_data,
          .code = touch_write_8},
      Row{.access = Access::write,
          .ram = false,
          .attributes = attributes::device,
          .code = touch_write_4},
      Row{.access = Access::execute,
          .ram = true,
          .attributes = attributes::kernel_text,
          .code = touch_execute},
      Row{.access = Access::execute,
          .ram = false,
          .attributes = attributes::device_text,
          .code = touch_execute},
  };
  const bool ram = is_ram(pa);
  for (const Row& row : rows)
    if (row.access == access && row.ram == ram) return row;
  return rows[0];
}

}  // namespace

Touched touch(Access access, Pa pa, std::uint64_t value) {
  const Row& row = row_of(access, pa);
  const std::uint64_t va = map_touched(pa, row.attributes);
  if (access == Access::execute) arch::sync_icache();
  set_recovery(recover);
  Touched touched{.value = value};
  pending = &touched;
  touch_call(&context, va, &touched.value, row.code);
  pending = nullptr;
  unmap_touched();
  return touched;
}

}  // namespace pkvmemu::host
