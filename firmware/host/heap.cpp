// SPDX-License-Identifier: GPL-2.0-only
#include "host/heap.h"

#include "lib/fault.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {
constexpr std::uint64_t slab_magic = 0x6261'6c73'616b'7670;
}

std::size_t Heap::size_of_class(std::size_t size_class) {
  return std::size_t{1} << (smallest_shift + size_class);
}

Heap::SlabTrailer& Heap::trailer_of(const void* object) {
  const auto page = align_down(reinterpret_cast<std::uint64_t>(object), page_size);
  return *reinterpret_cast<SlabTrailer*>(page + page_size - sizeof(SlabTrailer));
}

bool Heap::refill(HeapUse use, std::size_t size_class) {
  std::byte* const page = pages_->take(1, use);
  if (page == nullptr) return false;
  trailer_of(page) = {.magic = slab_magic, .size_class = size_class};
  const std::size_t size = size_of_class(size_class);
  const std::size_t count = (page_size - sizeof(SlabTrailer)) / size;
  for (std::size_t i = count; i-- > 0;) {
    auto* object = reinterpret_cast<FreeObject*>(page + i * size);
    object->next = free_[size_class];
    free_[size_class] = object;
  }
  return true;
}

void* Heap::allocate_large(HeapUse use, std::size_t size) {
  const std::size_t pages = align_up(size, page_size) / page_size;
  for (Large& slot : large_) {
    if (slot.first != nullptr) continue;
    slot = {.first = pages_->take(pages, use), .pages = pages};
    return slot.first;
  }
  return nullptr;
}

void* Heap::allocate(std::size_t size) {
  if (PKVM_FAULT_NOTHING("host.kmalloc", "memory for a module's EL1 half")) return nullptr;
  return allocate_for(HeapUse::module, size);
}

void* Heap::allocate_record(std::size_t size) {
  return allocate_for(HeapUse::record, size);
}

void* Heap::allocate_for(HeapUse use, std::size_t size) {
  if (size == 0) return nullptr;
  if (size > size_of_class(class_count - 1)) return allocate_large(use, size);
  std::size_t size_class = 0;
  while (size_of_class(size_class) < size)
    ++size_class;
  if (free_[size_class] == nullptr && !refill(use, size_class)) return nullptr;
  FreeObject* object = free_[size_class];
  free_[size_class] = object->next;
  return object;
}

const Heap::Large* Heap::find_large(const void* object) const {
  for (const Large& slot : large_)
    if (slot.first == object && object != nullptr) return &slot;
  return nullptr;
}

std::size_t Heap::size_of(const void* object) const {
  if (object == nullptr) return 0;
  if (const Large* large = find_large(object)) return large->pages * page_size;
  return size_of_class(trailer_of(object).size_class);
}

void Heap::release(void* object) {
  if (object == nullptr) return;
  if (const Large* large = find_large(object)) {
    pages_->give_back(large->first, large->pages);
    large_[static_cast<std::size_t>(large - large_.data())] = {};
    return;
  }
  const SlabTrailer& trailer = trailer_of(object);
  if (trailer.magic != slab_magic) __builtin_trap();  // never came from here
  auto* freed = static_cast<FreeObject*>(object);
  freed->next = free_[trailer.size_class];
  free_[trailer.size_class] = freed;
}

}  // namespace pkvmemu::host
