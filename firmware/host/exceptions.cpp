// SPDX-License-Identifier: GPL-2.0-only
#include "host/exceptions.h"

#include <array>

#include "host/asm_constants.h"
#include "host/console.h"
#include "host/kcfi.h"
#include "host/page_records.h"
#include "host/panic.h"
#include "host/task.h"
#include "pkvm/kcfi_types.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

// Arm ARM D17.2.37, ESR_ELx.EC.
enum : std::uint64_t {
  ec_data_abort_same = 0x25,
  ec_instruction_abort_same = 0x21,
  ec_brk = 0x3c,
};

struct ClassRow {
  std::uint64_t ec;
  const char* name;
};
constexpr std::array class_rows = {
    ClassRow{0x00, "undefined instruction"},
    ClassRow{0x07, "use of FP/SIMD or SVE"},
    ClassRow{0x0e, "illegal execution state"},
    ClassRow{0x15, "SVC"},
    ClassRow{0x18, "trapped system register"},
    ClassRow{0x20, "instruction abort from EL0"},
    ClassRow{0x21, "instruction abort"},
    ClassRow{0x22, "misaligned PC"},
    ClassRow{0x24, "data abort from EL0"},
    ClassRow{0x25, "data abort"},
    ClassRow{0x26, "misaligned SP"},
    ClassRow{0x2f, "SError"},
    ClassRow{0x3c, "BRK"},
};

constexpr std::array vector_names = {"synchronous", "IRQ", "FIQ", "SError"};

// pkvm-abi.md 8.5: immediates that kernel code is built with.
constexpr std::uint64_t brk_bug = 0x800;

// pkvm-abi.md 7.7: the hypervisor marks the aborts that it injects with S1PTW.
constexpr unsigned esr_s1ptw = 7;
constexpr unsigned esr_wnr = 6;

constexpr unsigned shadow_register = 18;

/// Of an address, all equal. An authentication that fails makes them differ (Arm ARM D8.10.4).
constexpr std::uint64_t top_bits = std::uint64_t{0xffff} << 48;

bool is_no_address(std::uint64_t address) {
  return (address & top_bits) != 0 && (address & top_bits) != top_bits;
}

constinit BugLookup bug_lookup = nullptr;
constinit Recovery recovery = nullptr;

const char* class_name(std::uint64_t ec) {
  for (const ClassRow& row : class_rows)
    if (row.ec == ec) return row.name;
  return "unexpected exception";
}

const char* fault_name(std::uint64_t esr) {
  switch (bits(esr, 5, 2)) {
    case 0:
      return "address size fault";
    case 1:
      return "translation fault";
    case 2:
      return "access flag fault";
    case 3:
      return "permission fault";
    case 4:
      return "external abort";
    case 5:
      return "external abort on a table walk";
    default:
      return bits(esr, 5, 0) == 0x21 ? "alignment fault" : "fault";
  }
}

bool is_abort(std::uint64_t ec) {
  return ec == ec_data_abort_same || ec == ec_instruction_abort_same;
}

void print_abort(const ExceptionFrame& frame, std::uint64_t ec) {
  const char* access = "fetch";
  if (ec == ec_data_abort_same) access = test_bit(frame.esr, esr_wnr) ? "write" : "read";
  if (test_bit(frame.esr, esr_s1ptw)) {
    printk("host: %s of 0x%016llx refused by the hypervisor (injected abort)\n", access,
           static_cast<unsigned long long>(frame.far));
    return;
  }
  printk("host: %s of 0x%016llx: %s, level %llu\n", access,
         static_cast<unsigned long long>(frame.far), fault_name(frame.esr),
         static_cast<unsigned long long>(bits(frame.esr, 1, 0)));
}

void print_registers(const ExceptionFrame& frame) {
  printk("host: ESR 0x%llx FAR 0x%llx PSTATE 0x%llx\n", static_cast<unsigned long long>(frame.esr),
         static_cast<unsigned long long>(frame.far), static_cast<unsigned long long>(frame.spsr));
  printk("host: pc %pS\n", reinterpret_cast<void*>(frame.elr));
  printk("host: lr %pS\n", reinterpret_cast<void*>(frame.x[30]));
  printk("host: sp 0x%016llx\n", static_cast<unsigned long long>(frame.sp));
  for (unsigned i = 0; i < 30; i += 3)
    printk("host: x%-2u 0x%016llx x%-2u 0x%016llx x%-2u 0x%016llx\n", i,
           static_cast<unsigned long long>(frame.x[i]), i + 1,
           static_cast<unsigned long long>(frame.x[i + 1]), i + 2,
           static_cast<unsigned long long>(frame.x[i + 2]));
}

void print_bug(const char* kind, std::uint64_t address, const std::optional<NamedBug>& bug) {
  printk("%s: ", kind);
  if (bug)
    printk("\001c%.*s:%u, ", static_cast<int>(bug->file.size()), bug->file.data(), bug->site.line);
  printk("\001c%pS\n", reinterpret_cast<void*>(address));
}

/// True when execution goes on after the BRK.
bool handle_brk(ExceptionFrame& frame) {
  const std::uint64_t immediate = bits(frame.esr, 15, 0);
  if (pkvm::kcfi::is_check(immediate)) panic_for_cfi(frame);
  if (immediate != brk_bug) return false;
  const auto bug = bug_lookup != nullptr ? bug_lookup(frame.elr) : std::nullopt;
  if (!bug || !bug->site.is_warning) {
    print_bug("BUG", frame.elr, bug);
    return false;
  }
  if (!bug->site.seen_already) print_bug("WARNING", frame.elr, bug);
  frame.elr += 4;
  return true;
}

}  // namespace

void set_bug_lookup(BugLookup lookup) {
  bug_lookup = lookup;
}

void set_recovery(Recovery who) {
  recovery = who;
}

bool has_fault_address(std::uint64_t esr) {
  return is_abort(bits(esr, 31, 26));
}

const char* name_of_exception(std::uint64_t esr) {
  const std::uint64_t ec = bits(esr, 31, 26);
  if (!is_abort(ec) || !test_bit(esr, esr_s1ptw)) return class_name(ec);
  return ec == ec_data_abort_same ? "data abort, refused by the hypervisor"
                                  : "instruction abort, refused by the hypervisor";
}

extern "C" void handle_exception(ExceptionFrame* frame, std::uint64_t entry) {
  constexpr std::uint64_t synchronous_el1h = 4;
  static constinit unsigned depth = 0;
  if (++depth > 3) power_off();
  const std::uint64_t ec = bits(frame->esr, 31, 26);
  const bool expected = entry == synchronous_el1h;
  if (expected && recovery != nullptr && recovery(*frame)) {
    --depth;
    return;
  }
  if (expected && ec == ec_data_abort_same && bring_page_record(frame->far)) {
    --depth;
    return;
  }
  if (expected && ec == ec_brk && handle_brk(*frame)) {
    --depth;
    return;
  }
  if (entry == VECTOR_STACK_OVERFLOW)
    panic("kernel stack overflow at %pS", reinterpret_cast<void*>(frame->elr));
  if (!expected)
    printk("host: %s exception at vector %llu\n", vector_names[entry & 3],
           static_cast<unsigned long long>(entry));
  if (expected && is_abort(ec)) print_abort(*frame, ec);
  print_registers(*frame);
  if (ec == ec_instruction_abort_same && is_no_address(frame->elr))
    panic("jump to 0x%016llx: a return to %pS that failed its authentication, or no address",
          static_cast<unsigned long long>(frame->elr),
          reinterpret_cast<void*>(frame->elr | top_bits));
  if (ec == ec_data_abort_same && is_shadow_stack_overflow(frame->far, frame->x[shadow_register]))
    panic("shadow call stack overflow at %pS", reinterpret_cast<void*>(frame->elr));
  panic("%s at %pS", class_name(ec), reinterpret_cast<void*>(frame->elr));
}

}  // namespace pkvmemu::host
