// SPDX-License-Identifier: GPL-2.0-only
#include "backing.h"

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::hyp::test {

namespace {

void* map(void* at, std::size_t size, int flags, int file, std::size_t offset) {
  void* const mapped =
      mmap(at, size, PROT_READ | PROT_WRITE, flags, file, static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) throw std::runtime_error("no memory for the test's machine");
  return mapped;
}

}  // namespace

Backing::Backing(std::size_t size, std::size_t alignment)
    : size_(size), file_(memfd_create("world", MFD_CLOEXEC)) {
  if (file_ < 0 || ftruncate(file_, static_cast<off_t>(size)) != 0)
    throw std::runtime_error("no file for the test's machine");
  // A place with room for the alignment; what is too much goes back.
  const std::size_t room = size + alignment;
  auto* const place =
      static_cast<std::byte*>(map(nullptr, room, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  const auto address = reinterpret_cast<std::uint64_t>(place);
  const std::size_t front = align_up(address, alignment) - address;
  begin_ = static_cast<std::byte*>(map(place + front, size, MAP_SHARED | MAP_FIXED, file_, 0));
  if (front != 0) munmap(place, front);
  if (front != alignment) munmap(begin_ + size, alignment - front);
}

Backing::~Backing() {
  munmap(begin_, size_);
  close(file_);
}

void Backing::show(std::uint64_t va, std::size_t offset) const {
  map(reinterpret_cast<void*>(va), page_size, MAP_SHARED | MAP_FIXED, file_, offset);
}

}  // namespace pkvmemu::hyp::test
