// SPDX-License-Identifier: GPL-2.0-only
#include "host/stubs.h"

#include <array>
#include <cstddef>

#include "host/asm_constants.h"
#include "host/console.h"
#include "host/events.h"
#include "pkvm/stubs.h"
#include "support/address.h"

#pragma GCC visibility push(hidden)
extern "C" {
extern const char unresolved_stubs[], declared_stub_code[];
void* export_kmalloc(std::size_t size, unsigned flags);
}
#pragma GCC visibility pop

namespace pkvmemu::host {

namespace {

constinit bool enabled = false;
constinit std::array<std::string_view, STUB_COUNT> names{};
constinit std::size_t used = 0;

/// The console tells of each declared stub once.
constinit std::array<bool, pkvm::declared_stubs.size()> told{};

/// What a caller may do with such an object is to pass it on, or to keep something of its own in
/// it: a page is more than any of the kernel's structures.
std::uint64_t new_object() {
  constexpr unsigned gfp_zero = 0x100;
  return reinterpret_cast<std::uint64_t>(export_kmalloc(page_size, gfp_zero));
}

std::uint64_t answer_of(const pkvm::DeclaredStub& stub, std::uint64_t argument) {
  switch (stub.returns) {
    case pkvm::StubReturns::argument:
      return argument;
    case pkvm::StubReturns::object:
      return new_object();
    case pkvm::StubReturns::nothing:
    case pkvm::StubReturns::number:
    case pkvm::StubReturns::pointer:
      break;
  }
  return static_cast<std::uint64_t>(std::int64_t{negated(stub.error)});
}

/// Words where the answer is no number.
const char* words_of(pkvm::StubReturns returns) {
  switch (returns) {
    case pkvm::StubReturns::nothing:
      return "nothing";
    case pkvm::StubReturns::argument:
      return "its argument";
    case pkvm::StubReturns::object:
      return "an empty object";
    case pkvm::StubReturns::number:
    case pkvm::StubReturns::pointer:
      break;
  }
  return nullptr;
}

void tell_once(std::size_t row) {
  if (told[row]) return;
  told[row] = true;
  const pkvm::DeclaredStub& stub = pkvm::declared_stubs[row];
  const char* const name = stub.name.data();
  const auto size = static_cast<int>(stub.name.size());
  if (const char* words = words_of(stub.returns); words != nullptr)
    printk("stub: %.*s() answers %s\n", size, name, words);
  else
    printk("stub: %.*s() answers %d\n", size, name, negated(stub.error));
}

}  // namespace

/// From stubs.S: which stub was called, and where it returns to. The answer goes to the caller.
extern "C" std::uint64_t report_stub(std::uint64_t index, std::uint64_t caller) {
  const std::string_view name = names[index];
  printk("stub: %.*s() called from %pS, answers 0\n", static_cast<int>(name.size()), name.data(),
         reinterpret_cast<void*>(caller));
  events().emit(pkvm::event::Kind::stub_used, {caller}, name);
  return 0;
}

/// From stubs.S: which row was called, with what, and where it returns to.
extern "C" std::uint64_t report_declared_stub(std::uint64_t row, std::uint64_t argument,
                                              std::uint64_t caller) {
  tell_once(row);
  const pkvm::DeclaredStub& stub = pkvm::declared_stubs[row];
  const std::uint64_t answer = answer_of(stub, argument);
  events().emit(pkvm::event::Kind::stub_used, {caller, answer, 1}, stub.name);
  return answer;
}

std::optional<std::uint64_t> declared_stub_address(std::string_view symbol) {
  const auto row = pkvm::find_stub(symbol);
  if (!row) return std::nullopt;
  return reinterpret_cast<std::uint64_t>(declared_stub_code) + *row * STUB_SIZE;
}

void enable_stubs() {
  enabled = true;
}

std::optional<std::uint64_t> stub_address(std::string_view symbol) {
  if (!enabled) return std::nullopt;
  std::size_t index = 0;
  while (index < used && names[index] != symbol)
    ++index;
  if (index == names.size()) return std::nullopt;
  if (index == used) names[used++] = symbol;
  return reinterpret_cast<std::uint64_t>(unresolved_stubs) + index * STUB_SIZE;
}

}  // namespace pkvmemu::host
