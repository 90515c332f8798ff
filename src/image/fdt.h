// SPDX-License-Identifier: GPL-2.0-only
// Read-only view of a flattened devicetree (Devicetree Specification 0.4, chapter 5). open() walks
// the whole structure block once, so that a tree that opens is well formed; every later read is
// bounds-checked all the same. Freestanding; nothing is copied. Numbers are read with loads of
// natural alignment at least, so map the blob as Normal memory before reading it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "image/error.h"
#include "image/stream.h"

namespace pkvmemu::image {

/// One entry of `reg`, or of the memory reservation block.
struct FdtRegion {
  std::uint64_t base = 0;
  std::uint64_t size = 0;
  constexpr bool operator==(const FdtRegion&) const = default;
};

class Fdt {
 public:
  /// A node is named by where it starts in the structure block.
  struct Node {
    std::uint32_t offset = 0;
    constexpr bool operator==(const Node&) const = default;
  };
  struct Property {
    std::string_view name;
    ByteView value;
  };

  static constexpr std::uint32_t magic = 0xd00d'feed;
  static constexpr unsigned max_depth = 32;

  static Expected<Fdt> open(ByteView blob);
  /// For boot code that has nothing but a pointer: believes the header's size when the magic is
  /// right and the size below `limit`.
  static Expected<Fdt> open_at(const std::byte* address, std::uint32_t limit);

  [[nodiscard]] std::uint32_t total_size() const { return total_size_; }

  [[nodiscard]] static Node root() { return Node{0}; }
  [[nodiscard]] std::string_view name(Node node) const;
  [[nodiscard]] std::optional<Node> first_child(Node node) const;
  [[nodiscard]] std::optional<Node> next_sibling(Node node) const;
  [[nodiscard]] std::optional<Node> parent(Node node) const;
  /// Depth-first order over the whole tree; start with root().
  [[nodiscard]] std::optional<Node> next(Node node) const;

  /// "/reserved-memory/pvmfw": a component without unit address finds a node that has one.
  [[nodiscard]] std::optional<Node> find(std::string_view path) const;
  [[nodiscard]] std::optional<Node> child(Node node, std::string_view wanted) const;
  /// The first node after `after` (or of all) that lists this string in `compatible`.
  [[nodiscard]] std::optional<Node> find_compatible(std::string_view compatible,
                                                    std::optional<Node> after = {}) const;
  [[nodiscard]] std::optional<Node> find_phandle(std::uint32_t phandle) const;
  [[nodiscard]] bool is_compatible(Node node, std::string_view compatible) const;
  /// Absent `status`, "okay" or "ok".
  [[nodiscard]] bool is_enabled(Node node) const;

  /// The node's `index`-th property, in file order.
  [[nodiscard]] std::optional<Property> property_at(Node node, unsigned index) const;
  [[nodiscard]] std::optional<ByteView> property(Node node, std::string_view wanted) const;
  [[nodiscard]] bool has(Node node, std::string_view wanted) const;
  /// The first string of a property.
  [[nodiscard]] std::optional<std::string_view> string(Node node, std::string_view wanted) const;
  /// The `index`-th 32-bit cell of a property.
  [[nodiscard]] std::optional<std::uint32_t> cell(Node node, std::string_view wanted,
                                                  unsigned index = 0) const;
  /// A number of one or two cells, as linux,initrd-start is.
  [[nodiscard]] std::optional<std::uint64_t> number(Node node, std::string_view wanted) const;

  /// The `index`-th entry of `reg`, by the parent's #address-cells and #size-cells (2 and 1 where
  /// they are absent, as the specification says).
  [[nodiscard]] std::optional<FdtRegion> reg(Node node, unsigned index = 0) const;
  /// The `index`-th entry of the memory reservation block.
  [[nodiscard]] std::optional<FdtRegion> reservation(unsigned index) const;

  /// /chosen bootargs; empty when absent.
  [[nodiscard]] std::string_view bootargs() const;
  /// /chosen linux,initrd-start and -end.
  [[nodiscard]] std::optional<FdtRegion> initrd() const;

 private:
  struct Token {
    std::uint32_t kind = 0;
    std::uint32_t next = 0;    ///< offset of the token after this one
    std::uint32_t length = 0;  ///< property: bytes of value
    std::uint32_t value = 0;   ///< property: offset of the value
    std::string_view name;
  };

  /// What a token is and where the next one starts: all that finding the way takes.
  struct Step {
    std::uint32_t kind = 0;
    std::uint32_t next = 0;
  };

  [[nodiscard]] Expected<Token> token(std::uint32_t offset) const;
  [[nodiscard]] Expected<Step> step(std::uint32_t offset) const;
  /// The offset after the node's END_NODE.
  [[nodiscard]] std::uint32_t end_of(Node node) const;
  /// The first token after the node's properties.
  [[nodiscard]] std::uint32_t end_of_properties(Node node) const;
  [[nodiscard]] std::optional<Node> node_at(std::uint32_t offset) const;
  [[nodiscard]] Expected<void> check() const;

  Stream structure_;
  Stream strings_;
  Stream reservations_;
  std::uint32_t total_size_ = 0;
};

}  // namespace pkvmemu::image
