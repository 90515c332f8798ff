// SPDX-License-Identifier: GPL-2.0-only
// Fault sites in the firmware (include/pkvm/fault.h):
//
//   if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.pool.take", Errno::enomem, "a page of the
//   pool"))
//     return error(fault);
//   if (PKVM_FAULT_NOTHING("host.heap.take", "memory for a module")) return nullptr;
//
// Each costs one `mov` and one branch, and nothing else when nobody injects. Only in functions that
// are compiled once (no templates, nothing inline in a header): the table names addresses.
#pragma once

#include "pkvm/errno.h"
#include "pkvm/fault.h"

#if PKVM_FIRMWARE
// NOLINTBEGIN(cppcoreguidelines-macro-usage): assembly needs the literals.
// .org refuses names and meanings that do not fit into pkvm::fault::SiteRecord.
#define PKVM_FAULT_SITE(name, how, usual, meaning)                 \
  ([]() __attribute__((always_inline)) {                           \
    long answered;                                                 \
    asm volatile(                                                  \
        "mov %[answered], xzr\n"                                   \
        "771:\n"                                                   \
        ".pushsection .pkvm.fault_sites, \"a\"\n"                  \
        "772: .quad 771b - .\n"                                    \
        ".word %c[kind], %c[number]\n"                             \
        ".asciz \"" name                                           \
        "\"\n"                                                     \
        ".org 772b + 64\n"                                         \
        ".asciz \"" meaning                                        \
        "\"\n"                                                     \
        ".org 772b + 192\n"                                        \
        ".popsection\n"                                            \
        : [answered] "=r"(answered)                                \
        : [kind] "i"(static_cast<int>(how)), [number] "i"(usual)); \
    return answered;                                               \
  }())
// NOLINTEND(cppcoreguidelines-macro-usage)
#else
#include "lib/fault_fake.h"
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define PKVM_FAULT_SITE(name, how, usual, meaning) (::pkvmemu::fw::fake_fault(name, usual))
#endif

namespace pkvmemu::fw {

/// What a site with error numbers answers.
struct Fault {
  int answer;  ///< 0: nothing failed; else a negative error number
  explicit operator bool() const { return answer != 0; }
};

}  // namespace pkvmemu::fw

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define PKVM_FAULT_ERRNO(name, usual, meaning)                                 \
  ::pkvmemu::fw::Fault {                                                       \
    static_cast<int>(PKVM_FAULT_SITE(name, ::pkvm::fault::Answer::errno_value, \
                                     ::pkvm::negated(usual), meaning))         \
  }

/// Whether what was asked for is not there.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define PKVM_FAULT_NOTHING(name, meaning) \
  (PKVM_FAULT_SITE(name, ::pkvm::fault::Answer::nothing, 1, meaning) != 0)
