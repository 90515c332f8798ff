// SPDX-License-Identifier: GPL-2.0-only
// libcapstone.a holds the tables of sixteen architectures, and its core names them all. Linked as
// it is, 80 000 pointers of tables that nobody reads are relocated at each start (1 ms of 2).
// Defining the entry points of the others here keeps their tables out of the program.
#include "code/only_aarch64.h"

#include <capstone/capstone.h>

// NOLINTBEGIN(cppcoreguidelines-macro-usage, readability-identifier-naming)
extern "C" {
#define PKVMEMU_LEAVE_OUT(architecture)                                                \
  int architecture##_global_init(void*);                                               \
  int architecture##_global_init(void* /*engine*/) {                                   \
    return CS_ERR_ARCH;                                                                \
  }                                                                                    \
  int architecture##_option(void*, int, unsigned long);                                \
  int architecture##_option(void* /*engine*/, int /*type*/, unsigned long /*value*/) { \
    return CS_ERR_ARCH;                                                                \
  }
PKVMEMU_LEAVE_OUT(ARM)
PKVMEMU_LEAVE_OUT(BPF)
PKVMEMU_LEAVE_OUT(EVM)
PKVMEMU_LEAVE_OUT(M680X)
PKVMEMU_LEAVE_OUT(M68K)
PKVMEMU_LEAVE_OUT(MOS65XX)
PKVMEMU_LEAVE_OUT(Mips)
PKVMEMU_LEAVE_OUT(PPC)
PKVMEMU_LEAVE_OUT(RISCV)
PKVMEMU_LEAVE_OUT(SH)
PKVMEMU_LEAVE_OUT(Sparc)
PKVMEMU_LEAVE_OUT(SystemZ)
PKVMEMU_LEAVE_OUT(TMS320C64x)
PKVMEMU_LEAVE_OUT(TRICORE)
PKVMEMU_LEAVE_OUT(WASM)
PKVMEMU_LEAVE_OUT(X86)
PKVMEMU_LEAVE_OUT(XCore)
}
// NOLINTEND(cppcoreguidelines-macro-usage, readability-identifier-naming)

namespace pkvmemu::code {

void link_only_aarch64() {}

}  // namespace pkvmemu::code
