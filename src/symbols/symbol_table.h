// SPDX-License-Identifier: GPL-2.0-only
// Names of guest code and data: of modules, from their files, and of the firmware, from the lists
// that `nm` makes of its two images. Where they lie in memory is Placement's to say.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/ko.h"
#include "support/result.h"

namespace pkvmemu::symbols {

/// Images of the firmware are named by what they are.
inline constexpr std::string_view hyp_image = "hyp";
inline constexpr std::string_view host_image = "host";

/// A part of a guest that is placed as one piece: a section of a module, or an image of the
/// firmware (section 0).
struct Part {
  std::string image;  ///< a module's name, or one of the above
  unsigned el = 1;
  std::uint32_t section = 0;
  auto operator<=>(const Part&) const = default;
};

/// A place in it.
struct Spot {
  Part part;
  std::uint64_t offset = 0;
  auto operator<=>(const Spot&) const = default;
};

struct Symbol {
  std::string name;  ///< as a person writes it: no __kvm_nvhe_, no parameters
  Spot spot;
  std::uint64_t size = 0;  ///< 0 when it is not known
};

class SymbolTable {
 public:
  /// Functions and objects of all sections that are loaded, of both halves.
  void add_module(std::string_view name, const image::KoFile& ko);
  /// Lines of `nm -S`: "ADDRESS [SIZE] TYPE NAME"; C++ names as the linker knows them.
  Result<void> add_firmware(std::string_view image, unsigned el, std::string_view lines);

  /// "[el1:|el2:][IMAGE/]NAME[+OFFSET]". Of a C++ name the scopes in front may be left out.
  [[nodiscard]] Result<Symbol> find(std::string_view text) const;
  /// "name+0x10 [image]"; "[image]+0x1234" where no symbol is before it; empty outside of all
  /// parts.
  [[nodiscard]] std::string name_of(const Spot& spot) const;
  [[nodiscard]] bool contains(const Spot& spot) const;
  /// ".hyp.text"; empty for an image of the firmware, and where nothing is known.
  [[nodiscard]] std::string section_of(const Part& part) const;

 private:
  struct Wanted;
  struct Entry {
    std::string name;
    std::uint64_t size = 0;
  };
  struct Content {
    std::uint64_t size = 0;
    std::string section{};
    std::multimap<std::uint64_t, Entry> symbols;  ///< by offset
  };
  static Result<Wanted> understand(std::string_view text);
  [[nodiscard]] std::vector<Symbol> matches(const Wanted& wanted) const;

  std::map<Part, Content> parts_;
};

}  // namespace pkvmemu::symbols
