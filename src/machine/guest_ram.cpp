// SPDX-License-Identifier: GPL-2.0-only
#include "machine/guest_ram.h"

#include <sys/mman.h>

#include <cassert>
#include <cerrno>
#include <cstring>

namespace pkvmemu::machine {

Result<GuestRam> GuestRam::allocate(std::uint64_t size, RamMapping mapping) {
  const int sharing = mapping == RamMapping::once ? MAP_PRIVATE : MAP_SHARED;
  void* memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return fail("no address space for {} MiB of guest RAM: {}", size >> 20, std::strerror(errno));
  // A huge page for each touched 2 MiB would multiply what a small guest costs.
  ::madvise(memory, size, MADV_NOHUGEPAGE);
  return GuestRam({static_cast<std::byte*>(memory), size});
}

GuestRam::~GuestRam() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

bool GuestRam::contains(Range range) const {
  const Pa base{pkvm::platform::ram_base};
  return range.base >= base && range.base - base <= size() &&
         range.size <= size() - (range.base - base);
}

std::span<std::byte> GuestRam::at(Range range) const {
  assert(contains(range));
  return bytes_.subspan(range.base - Pa{pkvm::platform::ram_base}, range.size);
}

}  // namespace pkvmemu::machine
