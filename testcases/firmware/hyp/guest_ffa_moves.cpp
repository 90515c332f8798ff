// SPDX-License-Identifier: GPL-2.0-only
#include "guest_ffa_moves.h"

#include <algorithm>
#include <array>
#include <span>

#include "guest_invariants.h"
#include "hyp/hypervisor.h"
#include "hyp/smc.h"
#include "pkvm/ffa.h"

namespace pkvmemu::hyp::test {

namespace {

namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;

struct Secure {
  SecureCounts counts;
  std::uint64_t asked = 0;
};
Secure& secure() {
  static Secure instance;
  return instance;
}

/// Every so many requests about memory are refused.
constexpr std::uint64_t refused_every = 7;

void play(arch::SmcRegisters& x) {
  const auto answer = [&x](const FfaProxy::Answer& words) { std::ranges::copy(words, x.begin()); };
  const auto id = static_cast<std::uint32_t>(x[0]);
  const bool gives = id == ffa::mem_share || id == ffa::mem_lend;
  const bool takes = id == ffa::mem_reclaim;
  if (!ffa::in_range(id)) {
    x[0] = ~std::uint64_t{0};
  } else if (id == ffa::version) {
    x[0] = ffa::version_1_1;
  } else if ((gives || takes) && ++secure().asked % refused_every == 0) {
    answer(FfaProxy::failed(ffa::Error::denied));
  } else if (gives) {
    answer({ffa::success, 0, ++secure().counts.given, 0});
  } else {
    secure().counts.returned += takes ? 1 : 0;
    answer({ffa::success});
  }
}

void host_smc(std::uint64_t id, std::uint64_t x1) {
  user_pt_regs regs{};
  regs.regs[0] = id;
  regs.regs[1] = x1;
  handle_smc(&regs, 0);
}

/// Up to three ranges; now and then the total, or a byte, is another.
std::uint64_t write_descriptor(std::mt19937_64& random, const Vm& vm, GuestFrames frames) {
  const auto pages = pages_of_guest(vm);
  const auto tx = std::ranges::find(pages, vm.ffa.tx.value >> page_shift, &GuestPage::gfn);
  if (!vm.ffa.has_buffers || tx == pages.end()) return random() % ffa::page_size;
  const std::span bytes(hypervisor().linear.pointer<std::uint8_t>(tx->pa), ffa::page_size);
  const std::size_t header = layout::header_size(ffa::version_1_1);
  const std::size_t composite = header + layout::receiver_size;
  const std::size_t ranges = composite + layout::composite_size;
  std::ranges::fill(bytes, std::uint8_t{0});
  ffa::put(bytes, layout::sender, static_cast<std::uint16_t>(vm.handle));
  ffa::put(bytes, layout::receiver_count, std::uint32_t{1});
  ffa::put(bytes, header + layout::ranges_of_receiver, static_cast<std::uint32_t>(composite));
  const std::uint64_t count = random() % 3;
  std::uint32_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto length = static_cast<std::uint32_t>(1 + (random() % 2));
    const std::size_t at = ranges + (i * layout::range_size);
    ffa::put(bytes, at, (frames.first + (random() % frames.count)) << page_shift);
    ffa::put(bytes, at + layout::range_pages, length);
    total += length;
  }
  ffa::put(bytes, composite + layout::composite_pages, total);
  ffa::put(bytes, composite + layout::composite_count, static_cast<std::uint32_t>(count));
  const std::uint64_t size = ranges + (count * layout::range_size);
  if (random() % 8 == 0) bytes[random() % size] = static_cast<std::uint8_t>(random());
  return size;
}

}  // namespace

void start_secure_world() {
  secure() = {};
  arch::fake::state().monitor = play;
  host_smc(ffa::version, ffa::version_1_1);
}

SecureCounts secure_counts() {
  return secure().counts;
}

void make_ffa_call(std::mt19937_64& random, const Vm& vm, GuestFrames frames,
                   unsigned long long* general) {
  constexpr auto calls = std::to_array<std::uint32_t>(
      {ffa::version, ffa::rxtx_map, ffa::rxtx_map, ffa::rxtx_unmap, ffa::mem_share, ffa::mem_share,
       ffa::mem_share, ffa::mem_lend, ffa::mem_reclaim, ffa::mem_reclaim, ffa::rx_release,
       ffa::partition_info_get, ffa::mem_frag_tx});
  const std::span x(general, 5);
  std::ranges::fill(x, 0);
  x[0] = calls.at(random() % calls.size());
  const auto pages = pages_of_guest(vm);
  const auto page = [&] {
    const bool any = pages.empty() || random() % 4 == 0;
    return (any ? frames.first + (random() % frames.count) : pages[random() % pages.size()].gfn)
           << page_shift;
  };
  const FfaTransfer* const last = vm.ffa.transfers;
  if (x[0] == ffa::rxtx_map) {
    x[1] = page();
    x[2] = page();
    x[3] = 1;
  } else if (x[0] == ffa::rxtx_unmap) {
    x[1] = vm.handle;
  } else if (x[0] == ffa::mem_reclaim) {
    x[1] = last == nullptr || random() % 4 == 0 ? random() % 64 : last->handle;
  } else if (x[0] == ffa::mem_share || x[0] == ffa::mem_lend) {
    x[1] = x[2] = write_descriptor(random, vm, frames);
  }
  if (random() % 16 == 0) x[1 + (random() % 4)] = random() >> (random() % 64);
}

}  // namespace pkvmemu::hyp::test
