// SPDX-License-Identifier: GPL-2.0-only
// Collections of the kernel: XArrays with idr and ida, which are made of them, and object caches.
// Of a module's structures only the head pointers are used: an XArray's holds a list of ours,
// sorted by index, and is null exactly when it is empty, which is all that inlines ask.
#include <cstddef>
#include <cstdint>

#include "pkvm/errno.h"

using pkvm::Errno;
using pkvm::negated;

extern "C" {
void* export_kmalloc(std::size_t size, unsigned flags);
void export_kfree(const void* object);
}

namespace {

struct Entry {
  Entry* next;
  std::uint64_t index;
  void* value;
};

/// struct xarray, which struct idr and struct ida begin with.
struct XArray {
  std::uint32_t lock;
  std::uint32_t flags;
  Entry* head;
};
static_assert(offsetof(XArray, head) == 8);

struct Limit {
  std::uint32_t most;
  std::uint32_t least;
};

constexpr std::uint64_t last_index = ~std::uint64_t{0};
constexpr std::int64_t last_int = 0x7fff'ffff;

/// An error in the place of an entry, as XArray functions return it.
void* entry_error(Errno error) {
  constexpr unsigned tag = 2;
  return reinterpret_cast<void*>(static_cast<std::uint64_t>(std::int64_t{negated(error)}) << 2 |
                                 tag);
}

/// The place of the first entry at or behind `index`.
Entry** place_of(XArray& array, std::uint64_t index) {
  Entry** place = &array.head;
  while (*place != nullptr && (*place)->index < index)
    place = &(*place)->next;
  return place;
}

bool is_there(Entry* const* place, std::uint64_t index) {
  return *place != nullptr && (*place)->index == index;
}

/// False when there is no memory.
bool insert(Entry** place, std::uint64_t index, void* value) {
  auto* added = static_cast<Entry*>(export_kmalloc(sizeof(Entry), 0));
  if (added == nullptr) return false;
  *added = {.next = *place, .index = index, .value = value};
  *place = added;
  return true;
}

void* erase(Entry** place) {
  Entry* gone = *place;
  void* value = gone->value;
  *place = gone->next;
  export_kfree(gone);
  return value;
}

/// The first free index of a range, taken; or a negated error.
std::int64_t take_index(XArray& array, void* value, std::uint64_t least, std::uint64_t most,
                        Errno when_full) {
  std::uint64_t index = least;
  Entry** place = place_of(array, index);
  while (is_there(place, index)) {
    place = &(*place)->next;
    ++index;
  }
  if (index > most) return negated(when_full);
  if (!insert(place, index, value)) return negated(Errno::enomem);
  return static_cast<std::int64_t>(index);
}

void* find_from(XArray& array, std::uint64_t* index, std::uint64_t from, std::uint64_t most) {
  const Entry* entry = *place_of(array, from);
  if (entry == nullptr || entry->index > most) return nullptr;
  *index = entry->index;
  return entry->value;
}

/// struct kmem_cache is opaque to modules.
struct Cache {
  std::size_t size;
  void (*construct)(void* object);
};

/// struct kmem_cache_args, of which the constructor alone matters: objects are aligned to their
/// size.
struct CacheArguments {
  std::uint32_t alignment;
  std::uint32_t user_offset;
  std::uint32_t user_size;
  std::uint32_t free_pointer_offset;
  bool has_free_pointer_offset;
  void (*construct)(void*);
};
static_assert(offsetof(CacheArguments, construct) == 24);

Cache* new_cache(std::size_t size, void (*construct)(void*)) {
  auto* cache = static_cast<Cache*>(export_kmalloc(sizeof(Cache), 0));
  if (cache != nullptr) *cache = {.size = size, .construct = construct};
  return cache;
}

}  // namespace

extern "C" {

void* export_xa_load(XArray* array, unsigned long index) {
  Entry** place = place_of(*array, index);
  return is_there(place, index) ? (*place)->value : nullptr;
}
void* export_xa_erase(XArray* array, unsigned long index) {
  Entry** place = place_of(*array, index);
  return is_there(place, index) ? erase(place) : nullptr;
}
/// What was there before. Storing NULL erases.
void* export_xa_store(XArray* array, unsigned long index, void* value, unsigned /*flags*/) {
  if (value == nullptr) return export_xa_erase(array, index);
  Entry** place = place_of(*array, index);
  if (!is_there(place, index))
    return insert(place, index, value) ? nullptr : entry_error(Errno::enomem);
  void* before = (*place)->value;
  (*place)->value = value;
  return before;
}
int export_xa_insert(XArray* array, unsigned long index, void* value, unsigned /*flags*/) {
  Entry** place = place_of(*array, index);
  if (is_there(place, index)) return negated(Errno::ebusy);
  return insert(place, index, value) ? 0 : negated(Errno::enomem);
}
int export_xa_alloc(XArray* array, std::uint32_t* id, void* value, Limit limit,
                    unsigned /*flags*/) {
  const std::int64_t taken = take_index(*array, value, limit.least, limit.most, Errno::ebusy);
  if (taken < 0) return static_cast<int>(taken);
  *id = static_cast<std::uint32_t>(taken);
  return 0;
}
void* export_xa_find(XArray* array, unsigned long* index, unsigned long most, unsigned /*filter*/) {
  return find_from(*array, index, *index, most);
}
void* export_xa_find_after(XArray* array, unsigned long* index, unsigned long most,
                           unsigned /*filter*/) {
  return *index == last_index ? nullptr : find_from(*array, index, *index + 1, most);
}
void export_xa_destroy(XArray* array) {
  while (array->head != nullptr)
    erase(&array->head);
}

/// `end` is behind the last id; 0 or less: no end.
int export_idr_alloc(XArray* idr, void* value, int start, int end, unsigned /*flags*/) {
  const std::int64_t most = end > 0 ? end - 1 : last_int;
  if (start < 0) return negated(Errno::einval);
  if (most < start) return negated(Errno::enospc);
  return static_cast<int>(take_index(*idr, value, static_cast<std::uint64_t>(start),
                                     static_cast<std::uint64_t>(most), Errno::enospc));
}
int export_idr_alloc_u32(XArray* idr, void* value, std::uint32_t* next, unsigned long most,
                         unsigned /*flags*/) {
  const std::int64_t taken = take_index(*idr, value, *next, most, Errno::enospc);
  if (taken < 0) return static_cast<int>(taken);
  *next = static_cast<std::uint32_t>(taken);
  return 0;
}
void* export_idr_get_next(XArray* idr, int* next) {
  auto index = static_cast<unsigned long>(*next);
  void* value = find_from(*idr, &index, index, static_cast<std::uint64_t>(last_int));
  if (value != nullptr) *next = static_cast<int>(index);
  return value;
}
int export_idr_for_each(XArray* idr, int (*call)(int id, void* value, void* data), void* data) {
  for (const Entry *entry = idr->head, *next = nullptr; entry != nullptr; entry = next) {
    next = entry->next;
    const int answer = call(static_cast<int>(entry->index), entry->value, data);
    if (answer != 0) return answer;
  }
  return 0;
}
int export_ida_alloc(XArray* ida, unsigned least, unsigned most, unsigned /*flags*/) {
  void* any = ida;
  return static_cast<int>(take_index(*ida, any, least,
                                     most > last_int ? static_cast<std::uint64_t>(last_int) : most,
                                     Errno::enospc));
}
void export_ida_free(XArray* ida, unsigned id) {
  export_xa_erase(ida, id);
}

Cache* export_kmem_cache_create(const char* /*name*/, unsigned size, unsigned /*alignment*/,
                                unsigned /*flags*/, void (*construct)(void*)) {
  return new_cache(size, construct);
}
Cache* export_kmem_cache_create_args(const char* /*name*/, unsigned size,
                                     const CacheArguments* arguments, unsigned /*flags*/) {
  return new_cache(size, arguments == nullptr ? nullptr : arguments->construct);
}
Cache* export_kmem_cache_create_usercopy(const char* /*name*/, unsigned size,
                                         unsigned /*alignment*/, unsigned /*flags*/,
                                         unsigned /*offset*/, unsigned /*bytes*/,
                                         void (*construct)(void*)) {
  return new_cache(size, construct);
}
void* export_kmem_cache_alloc(const Cache* cache, unsigned flags) {
  void* object = export_kmalloc(cache->size, flags);
  if (object != nullptr && cache->construct != nullptr) cache->construct(object);
  return object;
}
void export_kmem_cache_free(const Cache* /*cache*/, void* object) {
  export_kfree(object);
}
void export_kmem_cache_destroy(Cache* cache) {
  export_kfree(cache);
}
}
