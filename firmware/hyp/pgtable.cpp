// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/pgtable.h"

#include "lib/arch.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

/// One walk's purpose: the leaf to write, for which input address `pa` stands at `begin`.
struct PageTable::Edit {
  enum class Kind : std::uint8_t { map, remap, invalidate };
  Kind kind;
  Blocks blocks;
  std::uint64_t begin;
  Pa pa;
  std::uint64_t attributes;
  Descriptor invalid;

  Pa pa_for(std::uint64_t input) const { return pa + (input - begin); }
};

namespace {

Descriptor load(const std::uint64_t* entry) {
  return {__atomic_load_n(entry, __ATOMIC_RELAXED)};
}

constexpr std::uint64_t lower(std::uint64_t a, std::uint64_t b) {
  return a < b ? a : b;
}

/// Release: a walker that sees the entry sees the table behind it.
// NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes through it
void store(std::uint64_t* entry, Descriptor d) {
  __atomic_store_n(entry, d.value, __ATOMIC_RELEASE);
}

}  // namespace

std::uint64_t* PageTable::slot(Pa table, std::uint64_t input, unsigned level) const {
  const std::uint64_t index = (input / level_size(level)) % entries_per_table;
  return pages_->map().pointer<std::uint64_t>(table) + index;
}

/// The root may be several tables in a row, so its index takes all the bits that are left.
std::uint64_t* PageTable::root_slot(std::uint64_t input) const {
  return pages_->map().pointer<std::uint64_t>(shape_.root) +
         (input / level_size(shape_.start_level));
}

bool PageTable::covers(InputRange range) const {
  return range.begin <= range.end && range.end <= bit(shape_.input_bits);
}

Leaf PageTable::leaf(std::uint64_t input) const {
  unsigned level = shape_.start_level;
  Descriptor d = load(root_slot(input));
  while (is_table(d, level)) {
    ++level;
    d = load(slot(address_of(d), input, level));
  }
  return {d, level};
}

Status PageTable::map(InputRange range, Pa pa, std::uint64_t attributes, Blocks blocks) {
  return edit_all(range, Edit{.kind = Edit::Kind::map,
                              .blocks = blocks,
                              .begin = range.begin,
                              .pa = pa,
                              .attributes = attributes,
                              .invalid = {}});
}

Status PageTable::remap(InputRange range, Pa pa, std::uint64_t attributes, Blocks blocks) {
  return edit_all(range, Edit{.kind = Edit::Kind::remap,
                              .blocks = blocks,
                              .begin = range.begin,
                              .pa = pa,
                              .attributes = attributes,
                              .invalid = {}});
}

Status PageTable::set_invalid(InputRange range, Descriptor entry) {
  return edit_all(range, Edit{.kind = Edit::Kind::invalidate,
                              .blocks = Blocks::pages_only,
                              .begin = range.begin,
                              .pa = Pa{0},
                              .attributes = 0,
                              .invalid = entry});
}

Status PageTable::edit_all(InputRange range, const Edit& what) {
  if (!covers(range)) return error(Errno::erange);
  const std::uint64_t step = level_size(shape_.start_level);
  for (std::uint64_t at = range.begin; at < range.end;) {
    const std::uint64_t next = lower(align_down(at, step) + step, range.end);
    const Status done = edit(root_slot(at), shape_.start_level, {at, next}, what);
    if (!done) return done;
    at = next;
  }
  arch::dsb_ish();
  return {};
}

Status PageTable::edit_table(Pa table, unsigned level, InputRange range, const Edit& what) {
  const std::uint64_t step = level_size(level);
  for (std::uint64_t at = range.begin; at < range.end;) {
    const std::uint64_t next = lower(align_down(at, step) + step, range.end);
    const Status done = edit(slot(table, at, level), level, {at, next}, what);
    if (!done) return done;
    at = next;
  }
  return {};
}

Status PageTable::edit(std::uint64_t* entry, unsigned level, InputRange range, const Edit& what) {
  const Descriptor old = load(entry);
  const bool whole = range.end - range.begin == level_size(level);
  const bool invalidating = what.kind == Edit::Kind::invalidate;
  if (invalidating && old == what.invalid) return {};

  if (is_table(old, level)) {
    if (whole && invalidating && what.invalid.value == 0 && holds_ == 0) {
      replace(entry, range.begin, {});
      free_tables(address_of(old), level + 1);
      return {};
    }
    const Status done = edit_table(address_of(old), level + 1, range, what);
    if (done && invalidating) free_if_empty(entry, range.begin);
    return done;
  }

  if (is_valid(old) && what.kind == Edit::Kind::map) {
    const Pa old_pa = address_of(old) + (range.begin % level_size(level));
    const bool same = old_pa == what.pa_for(range.begin) && attributes_of(old) == what.attributes;
    return same ? Status{} : error(Errno::eagain);
  }
  const bool leaf_allowed =
      level == last_level || (level_may_hold_leaf(level) && what.blocks == Blocks::allowed);
  const bool aligned = is_aligned(what.pa_for(range.begin).value, level_size(level));
  // An annotation may stand for a whole subtree at any level, as an empty entry does.
  if (whole && (invalidating || (leaf_allowed && aligned)))
    return write_leaf(entry, level, range.begin, what);

  const Status made = make_table(entry, level, range.begin);
  if (!made) return made;
  return edit_table(address_of(load(entry)), level + 1, range, what);
}

Status PageTable::write_leaf(std::uint64_t* entry, unsigned level, std::uint64_t input,
                             const Edit& what) {
  const Descriptor old = load(entry);
  Descriptor wanted = what.invalid;
  if (what.kind != Edit::Kind::invalidate)
    wanted = leaf_descriptor(what.pa_for(input), what.attributes, level);
  if (old == wanted) return {};
  replace(entry, input, wanted);
  return {};
}

/// A table in place of `entry`, whose 512 entries say what it said: the parts of a block (unless
/// they come back by themselves), copies of an annotation, or nothing.
Status PageTable::make_table(std::uint64_t* entry, unsigned level, std::uint64_t input) {
  const Descriptor old = load(entry);
  const Expected<Pa> table = pages_->take_page();
  if (!table) return error(table.error());
  auto* children = pages_->map().pointer<std::uint64_t>(*table);
  const bool dropped = is_valid(old) && shape_.split == Split::drops_rest;
  const bool empty = old.value == 0 || dropped;
  for (unsigned i = 0; i < entries_per_table && !empty; ++i) {
    const Pa part = address_of(old) + (i * level_size(level + 1));
    children[i] =
        is_valid(old) ? leaf_descriptor(part, attributes_of(old), level + 1).value : old.value;
  }
  replace(entry, input, table_descriptor(*table));
  return {};
}

/// Break before make: a valid entry is cleared and forgotten before the new one is written.
void PageTable::replace(std::uint64_t* entry, std::uint64_t input, Descriptor with) {
  if (is_valid(load(entry))) {
    store(entry, {});
    arch::dsb_ishst();
    flush_(input);
  }
  store(entry, with);
}

void PageTable::free_if_empty(std::uint64_t* entry, std::uint64_t input) {
  const Pa table = address_of(load(entry));
  if (pages_->is_held(table)) return;
  const auto* children = pages_->map().pointer<std::uint64_t>(table);
  for (unsigned i = 0; i < entries_per_table; ++i)
    if (children[i] != 0) return;
  replace(entry, input, {});
  pages_->give_back(table);
}

void PageTable::free_tables(Pa table, unsigned level) {
  const auto* children = pages_->map().pointer<std::uint64_t>(table);
  for (unsigned i = 0; i < entries_per_table; ++i)
    if (is_table({children[i]}, level)) free_tables(address_of({children[i]}), level + 1);
  pages_->give_back(table);
}

/// The last-level table for `input`, made where a block or nothing stands.
Expected<Pa> PageTable::make_last_table(std::uint64_t input) {
  unsigned level = shape_.start_level;
  std::uint64_t* entry = root_slot(input);
  Pa table = shape_.root;
  for (; level < last_level; ++level) {
    if (!is_table(load(entry), level)) {
      const Status made = make_table(entry, level, align_down(input, level_size(level)));
      if (!made) return error(made.error());
    }
    table = address_of(load(entry));
    entry = slot(table, input, level + 1);
  }
  return table;
}

Status PageTable::empty_and_hold(InputRange range) {
  if (!covers(range)) return error(Errno::erange);
  for (std::uint64_t at = range.begin; at < range.end; at += page_size)
    if (const Expected<Pa> table = make_last_table(at); !table) return error(table.error());
  for (std::uint64_t at = range.begin; at < range.end; at += page_size)
    pages_->hold(*make_last_table(at));
  holds_ += (range.end - range.begin) >> page_shift;
  return set_invalid(range, {});
}

void PageTable::let_go(InputRange range) {
  for (std::uint64_t at = range.begin; at < range.end; at += page_size) {
    unsigned level = shape_.start_level;
    std::uint64_t* entry = root_slot(at);
    Pa table = shape_.root;
    for (; level < last_level && is_table(load(entry), level); ++level) {
      table = address_of(load(entry));
      entry = slot(table, at, level + 1);
    }
    if (level != last_level || !pages_->is_held(table)) continue;
    pages_->let_go(table);
    --holds_;
  }
}

std::uint64_t PageTable::table_count() const {
  const std::uint64_t roots = std::uint64_t{1}
                              << (shape_.input_bits -
                                  (page_shift + (9 * (last_level - shape_.start_level))));
  const auto* root = pages_->map().pointer<std::uint64_t>(shape_.root);
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < roots; ++i)
    if (is_table({root[i]}, shape_.start_level))
      count += count_tables(address_of({root[i]}), shape_.start_level + 1);
  return count;
}

std::uint64_t PageTable::count_tables(Pa table, unsigned level) const {
  const auto* children = pages_->map().pointer<std::uint64_t>(table);
  std::uint64_t count = 1;
  for (unsigned i = 0; i < entries_per_table; ++i)
    if (is_table({children[i]}, level)) count += count_tables(address_of({children[i]}), level + 1);
  return count;
}

}  // namespace pkvmemu::hyp
