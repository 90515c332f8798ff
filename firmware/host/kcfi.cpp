// SPDX-License-Identifier: GPL-2.0-only
#include "host/kcfi.h"

#include <optional>

#include "host/console.h"
#include "host/exceptions.h"
#include "host/memory.h"
#include "host/panic.h"
#include "pkvm/kcfi_types.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

constexpr unsigned zero_register = 31;

std::uint64_t value_of(const ExceptionFrame& frame, unsigned number) {
  return number == zero_register ? 0 : frame.x[number];
}

/// The word before a function, where there is one to read.
std::optional<std::uint32_t> word_before(std::uint64_t function) {
  const std::uint64_t place = function - sizeof(std::uint32_t);
  if (!is_aligned(function, sizeof(std::uint32_t)) || !physical_address(place)) return std::nullopt;
  return *reinterpret_cast<const volatile std::uint32_t*>(place);
}

}  // namespace

void print_cfi_type(const char* which, std::uint32_t word) {
  const pkvm::kcfi::Type* const type = pkvm::kcfi::find_type(word);
  if (type == nullptr) {
    printk("  %s type 0x%08x, not one that is known by name\n", which, word);
    return;
  }
  printk("  %s type 0x%08x: %.*s%s%.*s\n", which, word, static_cast<int>(type->role.size()),
         type->role.data(), type->role.empty() ? "" : ", ",
         static_cast<int>(type->prototype.size()), type->prototype.data());
}

void panic_for_cfi(const ExceptionFrame& frame) {
  const pkvm::kcfi::Check check = pkvm::kcfi::check_of(bits(frame.esr, 15, 0));
  const std::uint64_t target = value_of(frame, check.target_register);
  const auto expected = static_cast<std::uint32_t>(value_of(frame, check.type_register));
  printk("CFI failure at %pS: calls %pS as what it is not\n", reinterpret_cast<void*>(frame.elr),
         reinterpret_cast<void*>(target));
  print_cfi_type("expected", expected);
  if (const auto found = word_before(target))
    print_cfi_type("found   ", *found);
  else
    printk("  there is no function at 0x%016llx\n", static_cast<unsigned long long>(target));
  panic("CFI failure at %pS (target: %pS, expected type: 0x%08x)",
        reinterpret_cast<void*>(frame.elr), reinterpret_cast<void*>(target), expected);
}

}  // namespace pkvmemu::host
