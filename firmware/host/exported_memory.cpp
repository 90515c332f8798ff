// SPDX-License-Identifier: GPL-2.0-only
// Memory for modules: the kmalloc family over one heap, pages, vmalloc (which takes from the same
// heap: consecutive pages serve as well), and copies of strings.
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include "host/heap.h"
#include "host/memory.h"
#include "host/records.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "support/bits.h"

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;

namespace {

constexpr unsigned gfp_zero = 0x100;
/// What kmalloc(0) answers: not null, not to be used, and kfree takes it.
constexpr std::uint64_t zero_size_object = 16;
constexpr unsigned largest_order = 10;

class LinearPages final : public host::HeapPages {
 public:
  std::byte* take(std::size_t pages, host::HeapUse use) override {
    const auto first =
        use == host::HeapUse::record ? host::take_record_pages(pages) : host::take_pages(pages);
    return first ? host::linear_pointer<std::byte>(*first) : nullptr;
  }
  void give_back(std::byte* first, std::size_t pages) override {
    host::free_pages(host::linear_pa(reinterpret_cast<std::uint64_t>(first)), pages);
  }
};

constinit LinearPages linear_pages;
constinit host::Heap heap(linear_pages);

bool is_object(const void* object) {
  return reinterpret_cast<std::uint64_t>(object) > zero_size_object;
}

std::size_t copied_size(const void* object, std::size_t wanted) {
  const std::size_t had = heap.size_of(object);
  return had < wanted ? had : wanted;
}

}  // namespace

namespace pkvmemu::host {

void* take_record(std::size_t size) {
  void* record = heap.allocate_record(size);
  if (record != nullptr) fw::fill_bytes(record, 0, size);
  return record;
}
void release_record(void* record) {
  heap.release(record);
}

}  // namespace pkvmemu::host

extern "C" {

void* export_kmalloc(std::size_t size, unsigned flags) {
  if (size == 0) return reinterpret_cast<void*>(zero_size_object);
  void* object = heap.allocate(size);
  if (object != nullptr && (flags & gfp_zero) != 0) fw::fill_bytes(object, 0, size);
  return object;
}

/// The cache, which inlines choose by size, says nothing that the size does not.
void* export_kmalloc_trace(void* /*cache*/, unsigned flags, std::size_t size) {
  return export_kmalloc(size, flags);
}

void* export_kmalloc_node(std::size_t size, unsigned flags, int /*node*/) {
  return export_kmalloc(size, flags);
}

/// With the cache that inlines choose by size in front.
void* export_kmalloc_node_trace(void* /*cache*/, unsigned flags, int /*node*/, std::size_t size) {
  return export_kmalloc(size, flags);
}

void export_kfree(const void* object) {
  if (is_object(object)) heap.release(const_cast<void*>(object));
}

void export_kfree_sensitive(const void* object) {
  if (is_object(object)) fw::fill_bytes(const_cast<void*>(object), 0, heap.size_of(object));
  export_kfree(object);
}

std::size_t export_ksize(const void* object) {
  return is_object(object) ? heap.size_of(object) : 0;
}

void* export_krealloc(const void* object, std::size_t size, unsigned flags) {
  if (size == 0) {
    export_kfree(object);
    return reinterpret_cast<void*>(zero_size_object);
  }
  if (!is_object(object)) return export_kmalloc(size, flags);
  if (heap.size_of(object) >= size) return const_cast<void*>(object);
  void* moved = export_kmalloc(size, flags);
  if (moved == nullptr) return nullptr;
  fw::copy_bytes(moved, object, copied_size(object, size));
  export_kfree(object);
  return moved;
}

void* export_kmemdup(const void* from, std::size_t size, unsigned flags) {
  void* copy = export_kmalloc(size, flags);
  if (is_object(copy)) fw::copy_bytes(copy, from, size);
  return copy;
}

/// Of text that need not end: with a NUL behind it.
char* export_kmemdup_nul(const char* from, std::size_t size, unsigned flags) {
  auto* copy = static_cast<char*>(export_kmalloc(size + 1, flags));
  if (copy == nullptr) return nullptr;
  fw::copy_bytes(copy, from, size);
  copy[size] = '\0';
  return copy;
}

char* export_kstrndup(const char* from, std::size_t limit, unsigned flags) {
  if (from == nullptr) return nullptr;
  const std::size_t size = fw::string_length(from, limit);
  auto* copy = static_cast<char*>(export_kmalloc(size + 1, flags));
  if (copy == nullptr) return nullptr;
  fw::copy_bytes(copy, from, size);
  copy[size] = '\0';
  return copy;
}

char* export_kstrdup(const char* from, unsigned flags) {
  return export_kstrndup(from, ~std::size_t{0}, flags);
}

char* export_kvasprintf(unsigned flags, const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const std::size_t size = fw::format_text({}, format, arguments) + 1;
  auto* text = static_cast<char*>(export_kmalloc(size, flags));
  if (text != nullptr) fw::format_text({text, size}, format, again);
  va_end(again);
  return text;
}

char* export_kasprintf(unsigned flags, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char* text = export_kvasprintf(flags, format, arguments);
  va_end(arguments);
  return text;
}

void* export_vmalloc(std::size_t size) {
  if (size == 0) return nullptr;
  return heap.allocate(pkvmemu::align_up(size, pkvmemu::page_size));
}

void* export_vzalloc(std::size_t size) {
  void* memory = export_vmalloc(size);
  if (memory != nullptr) fw::fill_bytes(memory, 0, size);
  return memory;
}

void* export_vmalloc_flags(std::size_t size, unsigned flags) {
  return (flags & gfp_zero) != 0 ? export_vzalloc(size) : export_vmalloc(size);
}

/// 2^order pages, aligned to their size, at their linear-map address; 0 when there are none.
unsigned long export_get_free_pages(unsigned flags, unsigned order) {
  if (order > largest_order) return 0;
  const std::uint64_t count = std::uint64_t{1} << order;
  const auto first = host::take_pages(count, count);
  if (!first) return 0;
  const std::uint64_t address = host::linear_va(*first);
  if ((flags & gfp_zero) != 0)
    fw::fill_bytes(reinterpret_cast<void*>(address), 0, count * pkvmemu::page_size);
  return address;
}

unsigned long export_get_zeroed_page(unsigned flags) {
  return export_get_free_pages(flags | gfp_zero, 0);
}

void export_free_pages(unsigned long address, unsigned order) {
  if (address != 0) host::free_pages(host::linear_pa(address), std::uint64_t{1} << order);
}
}
