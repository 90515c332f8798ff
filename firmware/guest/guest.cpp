// SPDX-License-Identifier: GPL-2.0-only
#include "guest/guest.h"

#include <cstddef>

#include "pkvm/smccc.h"
#include "pkvm/vm.h"

namespace pkvmemu::guest {

namespace {

namespace layout = pkvm::guest;

/// Written by the exception handler.
struct Expected {
  bool armed;
  Exception seen;
};
constinit Expected expected{};
constinit bool telling = false;  ///< of an exception that nobody expected

}  // namespace

CallResult hvc(std::uint64_t id, std::uint64_t x1, std::uint64_t x2, std::uint64_t x3) {
  register std::uint64_t r0 asm("x0") = id;
  register std::uint64_t r1 asm("x1") = x1;
  register std::uint64_t r2 asm("x2") = x2;
  register std::uint64_t r3 asm("x3") = x3;
  asm volatile("hvc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"memory");
  return {r0, r1, r2, r3};
}

template <>
std::uint32_t read_mmio(std::uint64_t ipa) {
  std::uint32_t value = 0;
  asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(ipa) : "memory");
  return value;
}
template <>
std::uint64_t read_mmio(std::uint64_t ipa) {
  std::uint64_t value = 0;
  asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(ipa) : "memory");
  return value;
}
void write_mmio(std::uint64_t ipa, std::uint64_t value) {
  asm volatile("str %0, [%1]" ::"r"(value), "r"(ipa) : "memory");
}

void open_console() {
  hvc(pkvm::guest_call::mmio_guard_enroll);
  hvc(pkvm::guest_call::mmio_guard_map, layout::uart_ipa);
}

void print(std::string_view text) {
  for (const char c : text)
    asm volatile("str %w0, [%1]" ::"r"(static_cast<std::uint32_t>(c)), "r"(layout::uart_ipa)
                 : "memory");
}

void print_number(std::uint64_t value) {
  std::array<char, 20> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  print({&digits[at], digits.size() - at});
}

void print_hex(std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  print("0x");
  bool started = false;
  for (int shift = 60; shift >= 0; shift -= 4) {
    const std::uint64_t digit = value >> shift & 0xF;
    started = started || digit != 0 || shift == 0;
    if (started) print(digits.substr(digit, 1));
  }
}

std::uint64_t checksum_of(const layout::ImageHeader& image) {
  const auto* const words = reinterpret_cast<const std::uint64_t*>(&image);
  constexpr std::size_t own = offsetof(layout::ImageHeader, checksum) / sizeof(std::uint64_t);
  std::uint64_t sum = layout::checksum_start;
  for (std::size_t i = 0; i < image.size / sizeof(std::uint64_t); ++i)
    if (i != own) sum = layout::checksum_step(sum, words[i]);
  return sum;
}

void expect_exception() {
  expected = {.armed = true, .seen = {}};
}

Exception expected_exception() {
  expected.armed = false;
  asm volatile("" ::: "memory");
  return expected.seen;
}

}  // namespace pkvmemu::guest

extern "C" {

/// Answers where to go on.
std::uint64_t guest_exception(std::uint64_t esr, std::uint64_t far, std::uint64_t elr) {
  using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a C entry point
  if (expected.armed) {
    expected = {.armed = false, .seen = {.esr = esr, .far = far}};
    return elr + 4;
  }
  // Without a console, to tell of it is the next one.
  if (telling) guest_power_off();
  telling = true;
  print("exception: ESR ");
  print_hex(esr);
  print(", FAR ");
  print_hex(far);
  print(", ELR ");
  print_hex(elr);
  print("\n");
  guest_power_off();
}

void guest_power_off() {
  pkvmemu::guest::hvc(pkvm::psci::system_off);
  for (;;)
    asm volatile("wfi");
}

void guest_cpu_off() {
  pkvmemu::guest::hvc(pkvm::psci::cpu_off);
  for (;;)
    asm volatile("wfi");
}

[[gnu::weak]] void guest_secondary_main(std::uint64_t /*argument*/) {}

// The compiler may call these for what it sees as a copy, a fill, a length. Byte by byte: without
// an MMU memory is device memory, where accesses have to be aligned.
void* memcpy(void* to, const void* from, std::size_t size) {
  auto* bytes = static_cast<volatile char*>(to);
  const auto* source = static_cast<const char*>(from);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = source[i];
  return to;
}
std::size_t strlen(const char* text) {
  std::size_t length = 0;
  while (static_cast<const volatile char*>(text)[length] != '\0')
    ++length;
  return length;
}
void* memset(void* to, int value, std::size_t size) {
  auto* bytes = static_cast<volatile char*>(to);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(value);
  return to;
}
}
