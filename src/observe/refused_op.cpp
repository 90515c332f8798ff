// SPDX-License-Identifier: GPL-2.0-only
#include "observe/refused_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pkvm/errno.h"

namespace pkvmemu::observe {
namespace {

using pkvm::Errno;
using pkvm::event::RefusedSubject;

constexpr auto function = RefusedSubject::function;
constexpr auto memory = RefusedSubject::memory;
constexpr auto device = RefusedSubject::device;

struct Row {
  std::string_view op;  ///< its name, or how it begins
  std::int64_t answer;
  RefusedSubject subject;
  std::string_view advice;
};

constexpr std::int64_t ebusy = pkvm::negated(Errno::ebusy);
constexpr std::int64_t eperm = pkvm::negated(Errno::eperm);
constexpr std::int64_t enodev = pkvm::negated(Errno::enodev);
constexpr std::int64_t einval = pkvm::negated(Errno::einval);

/// The first that fits (pkvm-abi.md 1.6); docs/wrong-uses.md has the same.
constexpr auto rows = std::to_array<Row>({
    {"register_host_smc_handler", ebusy, function,
     "android14-6.1 and android15-6.6 take one handler of SMCs, android16-6.12 takes 16: share "
     "one, "
     "and look at the answer"},
    {"register_host_perm_fault_handler", ebusy, function,
     "android14-6.1 takes one handler, later kernels take 16: share one, and look at the answer"},
    {"register_guest_smc_handler", ebusy, function,
     "16 handlers are taken in all: share one, and look at the answer"},
    {"register_", ebusy, function,
     "one is taken in all, and none is given back: register once, and look at the answer"},
    {"register_unmask_serror", einval, function, "it takes two functions, both needed"},
    {"register_", 0, function, "nothing is registered, though the answer is good: pass a function"},
    {"device_register_reset", ebusy, device,
     "the device has its function already, and none is given back: register once for each device"},
    {"device_register_reset", enodev, device,
     "no device that guests may get has its registers there: the devicetree's device-assignment "
     "node lists them, and the hypervisor knows them once all protected modules are loaded"},
    {"device_register_reset", enodev, memory,
     "memory lies there: it takes the address of a device's registers"},
    {"pin_shared_mem", eperm, memory,
     "only memory that the host shares with the hypervisor is pinned, each page of it: share it "
     "first"},
    {"pin_shared_mem", einval, device,
     "no memory lies there: memory that the host shares is pinned"},
    {"pin_shared_mem", eperm, device,
     "no memory lies there: memory that the host shares is pinned"},
    {"unpin_shared_mem", 0, memory,
     "the page was not pinned: its count of users is wrong from now on; unpin just what was "
     "pinned, "
     "once"},
    {"unpin_shared_mem", 0, device, "no memory lies there: unpin just what was pinned, once"},
    {"pkvm_unuse_dma", einval, memory,
     "no device uses each of these pages, or they are no whole pages: end as many uses as began"},
    {"pkvm_unuse_dma", einval, device, "it takes whole pages"},
    {"pkvm_unuse_dma", eperm, memory,
     "the page is not of the loaded guest, or of the host when none is loaded"},
    {"pkvm_unuse_dma", eperm, device,
     "the device is not of the loaded guest, or of the host when none is loaded"},
    {"host_donate_sglist_hyp", einval, memory,
     "the block that starts there does not end in memory, or one of its pages is in use (shared "
     "and pinned, or of a device's DMA): nothing is donated"},
    {"host_donate_sglist_hyp", einval, device,
     "no memory lies there: each entry is memory, and nothing is donated"},
    {"host_donate_sglist_hyp", eperm, memory,
     "a page of the block that starts there is not the host's own: it is shared, donated or a "
     "module's already, and nothing is donated"},
    {"map_module_page", einval, device,
     "no memory lies there, or the protection has bits that it must not have"},
    {"host_stage2_disable_lazy_pte", eperm, memory,
     "the page is not the host's own any more: end lazy mapping before a donation"},
    {"host_donate_hyp", eperm, device,
     "no memory lies there: a device is donated with accept_mmio, and mapped with "
     "create_private_mapping and PKVM_PAGE_DEVICE"},
    {"", eperm, device,
     "no memory lies there: a device is mapped with create_private_mapping, and closed to the host "
     "with host_stage2_mod_prot or a donation"},
    {"", einval, device, "no memory lies there: a device is mapped with create_private_mapping"},
    {"host_share_hyp", eperm, memory,
     "the page is shared, donated or a module's already: each page is shared once"},
    {"", eperm, memory,
     "the page is not the host's own: it is shared, donated or a module's already; hand it back or "
     "unshare it first"},
    {"", einval, memory,
     "the page is in use (shared and pinned, or of a device's DMA), or the "
     "protection has bits that it must not have"},
});

std::string subject_text(const RefusedOp& op) {
  if (op.subject != function) return fmt::format("page at {:#x}", op.value);
  if (op.value == 0) return "NULL";
  return op.value_place.empty() ? fmt::format("{:#x}", op.value) : op.value_place;
}

std::string answer_text(const RefusedOp& op) {
  if (op.answer != 0) return " answered " + error_text(op.answer);
  return op.subject == function ? " answered 0" : " has no answer";
}

}  // namespace

std::string_view advice_for(const RefusedOp& op) {
  const auto* const row = std::ranges::find_if(rows, [&op](const Row& each) {
    return op.name.starts_with(each.op) && op.answer == each.answer && op.subject == each.subject;
  });
  return row == rows.end() ? std::string_view{} : row->advice;
}

std::string line_of(const RefusedOp& op) {
  std::string line = fmt::format("op {}({})", op.name, subject_text(op));
  if (!op.where.empty()) line += " in " + op.where;
  line += answer_text(op);
  if (op.count > 1) line += fmt::format(", {} times", op.count);
  if (const std::string_view advice = advice_for(op); !advice.empty())
    line += fmt::format(": {}", advice);
  return line;
}

}  // namespace pkvmemu::observe
