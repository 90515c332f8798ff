// SPDX-License-Identifier: GPL-2.0-only
// The instructions that the EL1 kernel needs by name. Firmware only.
#pragma once

#include <array>
#include <cstdint>

namespace pkvmemu::host::arch {

/// x0 to x7 of a call by HVC or SMC, in and out.
using CallRegisters = std::array<std::uint64_t, 8>;

#define PKVMEMU_DEFINE_CALL(name, instruction)                                                    \
  inline void name(CallRegisters& x) {                                                            \
    register std::uint64_t x0 asm("x0") = x[0];                                                   \
    register std::uint64_t x1 asm("x1") = x[1];                                                   \
    register std::uint64_t x2 asm("x2") = x[2];                                                   \
    register std::uint64_t x3 asm("x3") = x[3];                                                   \
    register std::uint64_t x4 asm("x4") = x[4];                                                   \
    register std::uint64_t x5 asm("x5") = x[5];                                                   \
    register std::uint64_t x6 asm("x6") = x[6];                                                   \
    register std::uint64_t x7 asm("x7") = x[7];                                                   \
    asm volatile(instruction " #0"                                                                \
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7) \
                 :                                                                                \
                 : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "cc",      \
                   "memory");                                                                     \
    x = {x0, x1, x2, x3, x4, x5, x6, x7};                                                         \
  }
PKVMEMU_DEFINE_CALL(hvc, "hvc")
PKVMEMU_DEFINE_CALL(smc, "smc")
#undef PKVMEMU_DEFINE_CALL

/// The same HVC `count` times (not 0), each with `x` as given; what the last one answered. Nothing
/// happens between the calls, so this is what benchmarks measure.
inline CallRegisters hvc_repeated(const CallRegisters& x, std::uint64_t count) {
  const std::uint64_t* arguments = x.data();
  // NOLINTBEGIN(cppcoreguidelines-init-variables): outputs of the assembly
  register std::uint64_t x0 asm("x0");
  register std::uint64_t x1 asm("x1");
  register std::uint64_t x2 asm("x2");
  register std::uint64_t x3 asm("x3");
  register std::uint64_t x4 asm("x4");
  register std::uint64_t x5 asm("x5");
  register std::uint64_t x6 asm("x6");
  register std::uint64_t x7 asm("x7");
  // NOLINTEND(cppcoreguidelines-init-variables)
  asm volatile(
      "1: ldp x0, x1, [%[arguments]]\n"
      "   ldp x2, x3, [%[arguments], #16]\n"
      "   ldp x4, x5, [%[arguments], #32]\n"
      "   ldp x6, x7, [%[arguments], #48]\n"
      "   hvc #0\n"
      "   sub %[count], %[count], #1\n"
      "   cbnz %[count], 1b\n"
      : "=&r"(x0), "=&r"(x1), "=&r"(x2), "=&r"(x3), "=&r"(x4), "=&r"(x5), "=&r"(x6),
        "=&r"(x7), [count] "+&r"(count)
      : [arguments] "r"(arguments)
      : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "cc", "memory");
  return {x0, x1, x2, x3, x4, x5, x6, x7};
}

/// Nobody's but the kernel's: the code here is compiled to leave it alone.
inline std::uint64_t read_x18() {
  std::uint64_t value = 0;
  asm volatile("mov %0, x18" : "=r"(value));
  return value;
}
inline void write_x18(std::uint64_t value) {
  asm volatile("mov x18, %0" ::"r"(value));
}

/// Table writes become visible to the walker.
inline void publish_tables() {
  asm volatile("dsb ishst\n isb" ::: "memory");
}
/// After descriptors were changed or removed.
inline void flush_tlb() {
  asm volatile("dsb ishst\n tlbi vmalle1\n dsb nsh\n isb" ::: "memory");
}

/// To the point of coherency, for readers with their MMU off.
inline void clean_dcache(std::uint64_t address, std::uint64_t size) {
  constexpr std::uint64_t line = 64;
  for (std::uint64_t at = address & ~(line - 1); at < address + size; at += line)
    asm volatile("dc civac, %0" ::"r"(at) : "memory");
  asm volatile("dsb sy" ::: "memory");
}

/// FEAT_LSE: ID_AA64ISAR0_EL1.Atomic.
inline bool has_lse_atomics() {
  std::uint64_t features = 0;
  asm("mrs %0, id_aa64isar0_el1" : "=r"(features));
  constexpr unsigned atomic = 20;
  return (features >> atomic & 0xf) >= 2;
}

/// TPIDR_EL1, which modules add to the address of a per-CPU variable.
inline void set_per_cpu_offset(std::uint64_t offset) {
  asm volatile("msr tpidr_el1, %0\n isb" ::"r"(offset) : "memory");
}

/// The key of PACIASP and PACIBSP, in both halves: APIAKey*_EL1, APIBKey*_EL1.
inline void set_pauth_keys(std::uint64_t key) {
  asm volatile(
      "msr s3_0_c2_c1_0, %0\n msr s3_0_c2_c1_1, %0\n"
      "msr s3_0_c2_c1_2, %0\n msr s3_0_c2_c1_3, %0\n isb" ::"r"(key));
}
/// SCTLR_EL1.EnIA and EnIB.
inline void sign_pointers() {
  constexpr std::uint64_t enables = std::uint64_t{3} << 30;
  std::uint64_t control = 0;
  asm volatile("mrs %0, sctlr_el1" : "=r"(control));
  asm volatile("msr sctlr_el1, %0\n isb" ::"r"(control | enables) : "memory");
}

inline void sync_icache() {
  asm volatile("dsb ish\n ic iallu\n dsb ish\n isb" ::: "memory");
}

[[noreturn]] inline void wait_forever() {
  while (true)
    asm volatile("wfi");
}

}  // namespace pkvmemu::host::arch
