// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/refusals.h"

#include "hyp/hypervisor.h"
#include "hyp/module_caller.h"
#include "pkvm/event.h"

namespace pkvmemu::hyp {

namespace {

using pkvm::event::RefusedSubject;

[[gnu::noinline]] void tell(std::string_view op, int answer, std::uint64_t subject,
                            RefusedSubject what) {
  const auto frame = reinterpret_cast<std::uint64_t>(__builtin_frame_address(0));
  hypervisor().events.emit(pkvm::event::Kind::op_refused,
                           {static_cast<std::uint64_t>(std::int64_t{answer}), subject,
                            module_caller(0, frame), static_cast<std::uint64_t>(what)},
                           op);
}

RefusedSubject kind_of(Pa page) {
  Hypervisor& hyp = hypervisor();
  const bool is_memory = hyp.host && hyp.host->memory().is_ram(page);
  return is_memory ? RefusedSubject::memory : RefusedSubject::device;
}

}  // namespace

int registration(std::string_view op, HypVa function, Status status) {
  const int answer = to_int(status);
  if (answer != 0 || function.value == 0) [[unlikely]]
    tell(op, answer, function.value, RefusedSubject::function);
  return answer;
}

int page_answer(std::string_view op, Pa first, Status status) {
  const int answer = to_int(status);
  if (answer != 0) [[unlikely]]
    tell(op, answer, first.value, kind_of(first));
  return answer;
}

void wrong_page(std::string_view op, Pa page) {
  tell(op, 0, page.value, kind_of(page));
}

}  // namespace pkvmemu::hyp
