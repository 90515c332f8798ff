// SPDX-License-Identifier: GPL-2.0-only
#include "image/fdt.h"

#include <array>

#include "image/text.h"
#include "support/bits.h"

namespace pkvmemu::image {
namespace {

constexpr std::uint32_t begin_node = 1;
constexpr std::uint32_t end_node = 2;
constexpr std::uint32_t prop = 3;
constexpr std::uint32_t nop = 4;
constexpr std::uint32_t end = 9;

/// Byte offsets in the header.
constexpr std::uint64_t at_total_size = 4;
constexpr std::uint64_t at_structure = 8;
constexpr std::uint64_t at_strings = 12;
constexpr std::uint64_t at_reservations = 16;
constexpr std::uint64_t at_last_compatible = 24;
constexpr std::uint64_t at_strings_size = 32;
constexpr std::uint64_t at_structure_size = 36;
constexpr std::uint64_t header_size = 40;
/// We read version 17; a newer file that says it is compatible with it is taken.
constexpr std::uint32_t our_version = 17;

constexpr std::uint64_t cell_size = 4;
constexpr std::uint64_t reservation_size = 16;

constexpr std::uint32_t aligned(std::uint64_t offset) {
  return static_cast<std::uint32_t>(align_up(offset, cell_size));
}

bool matches(std::string_view node, std::string_view wanted) {
  if (node == wanted) return true;
  if (wanted.contains('@')) return false;
  return head(node, node.find('@')) == wanted;
}

/// `count` cells from `first`, big-endian; at most two make a number here.
std::optional<std::uint64_t> cells(const Stream& value, std::uint64_t first, std::uint32_t count) {
  std::uint64_t number = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto cell = value.be<std::uint32_t>((first + i) * cell_size);
    if (!cell) return std::nullopt;
    number = number << 32 | *cell;
  }
  return number;
}

}  // namespace

Expected<Fdt> Fdt::open(ByteView blob) {
  const Stream file(blob);
  if (const auto header = file.range(0, header_size); !header)
    return std::unexpected(header.error());
  const auto field = [&file](std::uint64_t offset) {
    return file.be<std::uint32_t>(offset).value_or(0);
  };
  if (field(0) != magic)
    return std::unexpected(Error{.code = Code::bad_magic, .expected = magic, .found = field(0)});
  if (field(at_last_compatible) > our_version)
    return std::unexpected(Error{.code = Code::bad_version,
                                 .offset = at_last_compatible,
                                 .expected = our_version,
                                 .found = field(at_last_compatible)});
  const auto whole = file.range(0, field(at_total_size));
  if (!whole) return std::unexpected(whole.error());
  const Stream tree(*whole);
  const auto structure = tree.range(field(at_structure), field(at_structure_size));
  if (!structure) return std::unexpected(structure.error());
  const auto strings = tree.range(field(at_strings), field(at_strings_size));
  if (!strings) return std::unexpected(strings.error());
  if (!tree.contains(field(at_reservations), reservation_size))
    return std::unexpected(tree.range(field(at_reservations), reservation_size).error());

  Fdt result;
  result.total_size_ = field(at_total_size);
  result.structure_ = Stream(*structure);
  result.strings_ = Stream(*strings);
  result.reservations_ = Stream(whole->subspan(field(at_reservations)));
  if (const auto checked = result.check(); !checked) return std::unexpected(checked.error());
  return result;
}

Expected<Fdt> Fdt::open_at(const std::byte* address, std::uint32_t limit) {
  const Stream header(ByteView(address, header_size));
  const std::uint32_t found = header.be<std::uint32_t>(0).value_or(0);
  if (found != magic)
    return std::unexpected(Error{.code = Code::bad_magic, .expected = magic, .found = found});
  const std::uint32_t size = header.be<std::uint32_t>(at_total_size).value_or(0);
  if (size > limit)
    return std::unexpected(
        Error{.code = Code::truncated, .offset = 0, .expected = size, .found = limit});
  return open(ByteView(address, size < header_size ? header_size : size));
}

Expected<Fdt::Token> Fdt::token(std::uint32_t offset) const {
  const auto here = step(offset);
  if (!here) return std::unexpected(here.error());
  Token result{.kind = here->kind, .next = here->next, .length = 0, .value = 0, .name = {}};
  if (here->kind == begin_node) {
    const auto text = structure_.string(offset + cell_size);
    if (!text) return std::unexpected(text.error());
    result.name = *text;
  } else if (here->kind == prop) {
    const auto name_offset = structure_.be<std::uint32_t>(offset + 2 * cell_size);
    if (!name_offset) return std::unexpected(name_offset.error());
    const auto text = strings_.string(*name_offset);
    if (!text) return std::unexpected(text.error());
    result.name = *text;
    result.length = structure_.be<std::uint32_t>(offset + cell_size).value_or(0);
    result.value = static_cast<std::uint32_t>(offset + 3 * cell_size);
  }
  return result;
}

Expected<Fdt::Step> Fdt::step(std::uint32_t offset) const {
  const auto kind = structure_.be<std::uint32_t>(offset);
  if (!kind) return std::unexpected(kind.error());
  Step result{.kind = *kind, .next = offset + 4};
  if (*kind == begin_node) {
    const auto text = structure_.string(offset + cell_size);
    if (!text) return std::unexpected(text.error());
    result.next = aligned(offset + cell_size + text->size() + 1);
  } else if (*kind == prop) {
    const auto length = structure_.be<std::uint32_t>(offset + cell_size);
    if (!length) return std::unexpected(length.error());
    const auto value = structure_.range(offset + 3 * cell_size, *length);
    if (!value) return std::unexpected(value.error());
    result.next = aligned(offset + 3 * cell_size + *length);
  } else if (*kind != end_node && *kind != nop && *kind != end) {
    return std::unexpected(Error{.code = Code::bad_token, .offset = offset, .found = *kind});
  }
  return result;
}

Expected<void> Fdt::check() const {
  unsigned depth = 0;
  std::uint32_t offset = 0;
  for (bool first = true;; first = false) {
    const auto here = token(offset);
    if (!here) return std::unexpected(here.error());
    const std::unexpected bad(Error{.code = Code::bad_nesting, .offset = offset});
    if (first && here->kind != begin_node) return bad;
    if (here->kind == end_node && depth == 0) return bad;
    if (here->kind == begin_node) ++depth;
    if (here->kind == end_node) --depth;
    if (depth > max_depth) return bad;
    if (here->kind == prop && depth == 0) return bad;
    if (here->kind == begin_node && depth == 1 && !first) return bad;
    if (here->kind == end) {
      if (depth != 0) return bad;
      return {};
    }
    offset = here->next;
  }
}

std::string_view Fdt::name(Node node) const {
  const auto here = token(node.offset);
  return here ? here->name : std::string_view{};
}

std::uint32_t Fdt::end_of_properties(Node node) const {
  auto here = step(node.offset);
  std::uint32_t offset = here ? here->next : node.offset;
  while (here) {
    here = step(offset);
    if (!here || (here->kind != prop && here->kind != nop)) break;
    offset = here->next;
  }
  return offset;
}

std::uint32_t Fdt::end_of(Node node) const {
  unsigned depth = 0;
  std::uint32_t offset = node.offset;
  for (;;) {
    const auto here = step(offset);
    if (!here || here->kind == end) return offset;
    offset = here->next;
    if (here->kind == begin_node) ++depth;
    if (here->kind == end_node && --depth == 0) return offset;
  }
}

std::optional<Fdt::Node> Fdt::node_at(std::uint32_t offset) const {
  for (;;) {
    const auto here = step(offset);
    if (!here) return std::nullopt;
    if (here->kind == begin_node) return Node{offset};
    if (here->kind != nop) return std::nullopt;
    offset = here->next;
  }
}

std::optional<Fdt::Node> Fdt::first_child(Node node) const {
  return node_at(end_of_properties(node));
}

std::optional<Fdt::Node> Fdt::next_sibling(Node node) const {
  return node_at(end_of(node));
}

std::optional<Fdt::Node> Fdt::next(Node node) const {
  std::uint32_t offset = end_of_properties(node);
  for (;;) {
    const auto here = step(offset);
    if (!here || here->kind == end) return std::nullopt;
    if (here->kind == begin_node) return Node{offset};
    offset = here->next;
  }
}

std::optional<Fdt::Node> Fdt::parent(Node node) const {
  std::array<Node, max_depth> open;  // the nodes that are not closed yet
  unsigned depth = 0;
  std::uint32_t offset = 0;
  for (;;) {
    const auto here = step(offset);
    if (!here || here->kind == end) return std::nullopt;
    if (here->kind == end_node) {
      if (depth-- == 0) return std::nullopt;
    } else if (here->kind == begin_node) {
      if (offset == node.offset) return depth == 0 ? std::nullopt : std::optional(open[depth - 1]);
      if (depth == open.size()) return std::nullopt;
      open[depth++] = Node{offset};
    }
    offset = here->next;
  }
}

std::optional<Fdt::Node> Fdt::child(Node node, std::string_view wanted) const {
  for (auto other = first_child(node); other; other = next_sibling(*other))
    if (matches(name(*other), wanted)) return other;
  return std::nullopt;
}

std::optional<Fdt::Node> Fdt::find(std::string_view path) const {
  std::optional<Node> node = root();
  while (node) {
    while (path.starts_with('/'))
      path.remove_prefix(1);
    if (path.empty()) return node;
    const std::size_t slash = path.find('/');
    node = child(*node, head(path, slash));
    path = tail(path, slash);
  }
  return std::nullopt;
}

bool Fdt::is_compatible(Node node, std::string_view compatible) const {
  const auto value = property(node, "compatible");
  if (!value) return false;
  const Stream list(*value);
  for (std::uint64_t offset = 0; offset < list.size();) {
    const auto item = list.string(offset);
    if (!item) return false;
    if (*item == compatible) return true;
    offset += item->size() + 1;
  }
  return false;
}

std::optional<Fdt::Node> Fdt::find_compatible(std::string_view compatible,
                                              std::optional<Node> after) const {
  for (auto node = after ? next(*after) : root(); node; node = next(*node))
    if (is_compatible(*node, compatible)) return node;
  return std::nullopt;
}

std::optional<Fdt::Node> Fdt::find_phandle(std::uint32_t phandle) const {
  for (std::optional<Node> node = root(); node; node = next(*node))
    if (cell(*node, "phandle") == phandle || cell(*node, "linux,phandle") == phandle) return node;
  return std::nullopt;
}

bool Fdt::is_enabled(Node node) const {
  const auto status = string(node, "status");
  return !status || *status == "okay" || *status == "ok";
}

std::optional<Fdt::Property> Fdt::property_at(Node node, unsigned index) const {
  unsigned seen = 0;
  auto here = token(node.offset);
  while (here) {
    here = token(here->next);
    if (!here || (here->kind != prop && here->kind != nop)) return std::nullopt;
    if (here->kind != prop) continue;
    if (seen++ != index) continue;
    const auto value = structure_.range(here->value, here->length);
    if (!value) return std::nullopt;
    return Property{.name = here->name, .value = *value};
  }
  return std::nullopt;
}

std::optional<ByteView> Fdt::property(Node node, std::string_view wanted) const {
  auto here = token(node.offset);
  while (here) {
    here = token(here->next);
    if (!here || (here->kind != prop && here->kind != nop)) return std::nullopt;
    if (here->kind != prop || here->name != wanted) continue;
    const auto value = structure_.range(here->value, here->length);
    return value ? std::optional(*value) : std::nullopt;
  }
  return std::nullopt;
}

bool Fdt::has(Node node, std::string_view wanted) const {
  return property(node, wanted).has_value();
}

std::optional<std::string_view> Fdt::string(Node node, std::string_view wanted) const {
  const auto value = property(node, wanted);
  if (!value) return std::nullopt;
  const auto text = Stream(*value).string(0);
  return text ? std::optional(*text) : std::nullopt;
}

std::optional<std::uint32_t> Fdt::cell(Node node, std::string_view wanted, unsigned index) const {
  const auto value = property(node, wanted);
  if (!value) return std::nullopt;
  const auto number = Stream(*value).be<std::uint32_t>(std::uint64_t{index} * cell_size);
  return number ? std::optional(*number) : std::nullopt;
}

std::optional<std::uint64_t> Fdt::number(Node node, std::string_view wanted) const {
  const auto value = property(node, wanted);
  if (!value || (value->size() != cell_size && value->size() != 2 * cell_size)) return std::nullopt;
  return cells(Stream(*value), 0, static_cast<std::uint32_t>(value->size() / cell_size));
}

std::optional<FdtRegion> Fdt::reg(Node node, unsigned index) const {
  const auto value = property(node, "reg");
  const auto owner = parent(node);
  if (!value || !owner) return std::nullopt;
  const std::uint32_t address_cells = cell(*owner, "#address-cells").value_or(2);
  const std::uint32_t size_cells = cell(*owner, "#size-cells").value_or(1);
  if (address_cells == 0 || address_cells > 2 || size_cells > 2) return std::nullopt;
  const std::uint64_t first = std::uint64_t{index} * (address_cells + size_cells);
  const auto base = cells(Stream(*value), first, address_cells);
  const auto size = cells(Stream(*value), first + address_cells, size_cells);
  if (!base || !size) return std::nullopt;
  return FdtRegion{.base = *base, .size = *size};
}

std::optional<FdtRegion> Fdt::reservation(unsigned index) const {
  const std::uint64_t offset = std::uint64_t{index} * reservation_size;
  const auto base = reservations_.be<std::uint64_t>(offset);
  const auto size = reservations_.be<std::uint64_t>(offset + 8);
  if (!base || !size || (*base == 0 && *size == 0)) return std::nullopt;
  return FdtRegion{.base = *base, .size = *size};
}

std::string_view Fdt::bootargs() const {
  const auto chosen = find("/chosen");
  return chosen ? string(*chosen, "bootargs").value_or("") : std::string_view{};
}

std::optional<FdtRegion> Fdt::initrd() const {
  const auto chosen = find("/chosen");
  if (!chosen) return std::nullopt;
  const auto first = number(*chosen, "linux,initrd-start");
  const auto last = number(*chosen, "linux,initrd-end");
  if (!first || !last || *last < *first) return std::nullopt;
  return FdtRegion{.base = *first, .size = *last - *first};
}

}  // namespace pkvmemu::image
