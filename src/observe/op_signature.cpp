// SPDX-License-Identifier: GPL-2.0-only
#include "observe/op_signature.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "pkvm/errno.h"

namespace pkvmemu::observe {
namespace {

/// The names of struct pkvm_module_ops' prototypes (pkvm-abi.md 1.2 to 1.4), by op.
struct NamesRow {
  std::string_view op;
  std::string_view names;
};
constexpr auto names_rows = std::to_array<NamesRow>({
    {"create_private_mapping", "phys,size,prot,haddr"},
    {"alloc_module_va", "nr_pages"},
    {"map_module_page", "pfn,va,prot,is_protected"},
    {"register_serial_driver", "putc"},
    {"putc", "c"},
    {"puts", "s"},
    {"putx64", "x"},
    {"fixmap_map", "phys"},
    {"fixblock_map", "phys"},
    {"linear_map_early", "phys,size,prot"},
    {"linear_unmap_early", "addr,size"},
    {"flush_dcache_to_poc", "addr,size"},
    {"update_hcr_el2", "set,clear"},
    {"update_hfgwtr_el2", "set,clear"},
    {"register_host_perm_fault_handler", "cb"},
    {"host_stage2_mod_prot", "pfn,prot,nr_pages,update_iommu"},
    {"host_stage2_mod_prot_range", "pfn,prot,nr_pages"},
    {"host_stage2_get_leaf", "phys,ptep,level"},
    {"host_stage2_enable_lazy_pte", "pfn,nr_pages"},
    {"host_stage2_disable_lazy_pte", "pfn,nr_pages"},
    {"register_host_smc_handler", "cb"},
    {"register_guest_smc_handler", "cb"},
    {"register_default_trap_handler", "cb"},
    {"register_illegal_abt_notifier", "cb"},
    {"register_psci_notifier", "cb"},
    {"register_hyp_panic_notifier", "cb"},
    {"register_unmask_serror", "unmask,mask"},
    {"host_donate_hyp", "pfn,nr_pages,accept_mmio"},
    {"host_donate_hyp_prot", "pfn,nr_pages,accept_mmio,prot"},
    {"host_donate_sglist_hyp", "sglist,nr_pages"},
    {"hyp_donate_host", "pfn,nr_pages"},
    {"host_share_hyp", "pfn"},
    {"host_unshare_hyp", "pfn"},
    {"pin_shared_mem", "from,to"},
    {"unpin_shared_mem", "from,to"},
    {"memcpy", "to,from,count"},
    {"memset", "dst,c,count"},
    {"hyp_pa", "x"},
    {"hyp_va", "phys"},
    {"kern_hyp_va", "x"},
    {"hyp_alloc", "size"},
    {"hyp_free", "addr"},
    {"iommu_donate_pages", "order,flags"},
    {"iommu_reclaim_pages", "p,order"},
    {"iommu_donate_pages_atomic", "order"},
    {"iommu_reclaim_pages_atomic", "p,order"},
    {"iommu_request", "req"},
    {"iommu_init_device", "iommu"},
    {"iommu_iotlb_gather_add_page", "domain,gather,iova,size"},
    {"iommu_flush_unmap_cache", "cache"},
    {"iommu_snapshot_host_stage2", "domain"},
    {"pkvm_unuse_dma", "phys,size"},
    {"udelay", "usecs"},
    {"list_add_valid_or_report", "entry,prev,next"},
    {"list_del_entry_valid_or_report", "entry"},
    {"register_hyp_event_ids", "start,end"},
    {"tracing_reserve_entry", "length"},
    {"tracing_mod_hyp_printk", "fmt_id,a,b,c,d"},
    {"device_register_reset", "phys,cookie,cb"},
});

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

/// The n-th of a comma-separated list; empty when there are not so many.
std::string_view nth(std::string_view list, std::size_t n) {
  for (; n != 0; --n) {
    const std::size_t comma = list.find(',');
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
  return list.substr(0, list.find(','));
}

/// enum kvm_pgtable_prot (pkvm-abi.md 1.1).
std::string prot_text(std::uint64_t value) {
  struct Bit {
    std::uint64_t mask;
    std::string_view name;
  };
  constexpr std::array bits = {
      Bit{0x4, "R"},   Bit{0x2, "W"},    Bit{0x1, "X"},    Bit{0x8, "DEVICE"},
      Bit{0x10, "NC"}, Bit{0x20, "PXN"}, Bit{0x40, "UXN"},
  };
  std::vector<std::string> parts;
  for (const Bit& bit : bits) {
    if ((value & bit.mask) == 0) continue;
    parts.emplace_back(bit.name);
    value &= ~bit.mask;
  }
  if (value != 0 || parts.empty()) parts.push_back(fmt::format("{:#x}", value));
  return fmt::format("{}", fmt::join(parts, "|"));
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n')
      result += "\\n";
    else if (c == '"' || c == '\\')
      result += {'\\', c};
    else
      result += c >= 0x20 && c < 0x7F ? c : '?';
  }
  return result + '"';
}

bool is_pointer(std::string_view type) {
  return type.ends_with('*') || type.contains('(');
}

std::string value_text(std::string_view type, std::uint64_t value, std::string_view text) {
  if (type == "const char*") return value == 0 ? "NULL" : quoted(text);
  if (is_pointer(type)) return value == 0 ? "NULL" : fmt::format("{:#x}", value);
  if (type == "bool") return (value & 0xFF) != 0 ? "true" : "false";
  if (type == "char") {
    const std::array character{static_cast<char>(value & 0xFF)};
    return quoted({character.data(), character.size()});
  }
  if (type == "int") return fmt::format("{}", static_cast<std::int32_t>(value));
  if (type == "u8") return fmt::format("{}", value & 0xFF);
  if (type == "kvm_pgtable_prot") return prot_text(value);
  return fmt::format("{:#x}", value);
}

}  // namespace

std::vector<std::string_view> parameter_types(std::string_view parameters) {
  std::vector<std::string_view> types;
  if (parameters.size() <= 2) return types;
  const std::string_view inside = parameters.substr(1, parameters.size() - 2);
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= inside.size(); ++i) {
    const char c = i == inside.size() ? ',' : inside[i];
    depth += c == '(' ? 1 : 0;
    depth -= c == ')' ? 1 : 0;
    if (c != ',' || depth != 0) continue;
    types.push_back(trimmed(inside.substr(begin, i - begin)));
    begin = i + 1;
  }
  return types;
}

std::vector<std::string> argument_texts(std::size_t row, std::span<const std::uint64_t> x,
                                        std::string_view text) {
  const auto* const names =
      std::ranges::find(names_rows, pkvm::op_rows.at(row).name, &NamesRow::op);
  std::vector<std::string> result;
  for (const std::string_view type : parameter_types(op_signatures.at(row).parameters)) {
    const std::size_t index = result.size();
    if (index == x.size()) break;
    const std::string_view name = names == names_rows.end() ? "" : nth(names->names, index);
    result.push_back(
        fmt::format("{}{}{}", name, name.empty() ? "" : "=", value_text(type, x[index], text)));
  }
  return result;
}

std::string result_text(std::size_t row, std::uint64_t x0) {
  const std::string_view type = op_signatures.at(row).returns;
  if (type == "void") return {};
  if (type != "int") return value_text(type, x0, {});
  const auto value = static_cast<std::int32_t>(x0);
  const std::string_view error = value < 0 ? pkvm::errno_name(value) : std::string_view{};
  return error.empty() ? fmt::format("{}", value) : fmt::format("{} ({})", value, error);
}

}  // namespace pkvmemu::observe
