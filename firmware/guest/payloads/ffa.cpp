// SPDX-License-Identifier: GPL-2.0-only
// Speaks FF-A with the secure world: asks what there is, shares memory, takes some of it back and
// leaves the rest with it. Partition 0x8001 is who gets it.
#include "pkvm/ffa.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "guest/guest.h"
#include "pkvm/vm.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace ffa = pkvm::ffa;
namespace descriptor = pkvm::ffa::descriptor;

namespace {

struct alignas(ffa::page_size) Page {
  std::array<std::uint8_t, ffa::page_size> byte;
};
constinit Page tx{};
constinit Page rx{};
constinit std::array<Page, 4> memory{};

constexpr std::uint16_t partition = 0x8001;

std::uint64_t address(const void* of) {
  return reinterpret_cast<std::uint64_t>(of);
}

/// FF-A's error as it is named there, or what was answered.
void say(std::string_view what, const CallResult& answer) {
  print(what);
  if (answer[0] == ffa::success) {
    print(": success\n");
    return;
  }
  print(answer[0] == ffa::error ? ": error -" : ": ");
  print_number(answer[0] == ffa::error ? 0 - answer[2] : answer[0]);
  print("\n");
}

/// Two ranges of the memory: its first pages, and the last alone.
std::size_t write_descriptor(std::uint64_t sender, std::uint64_t first, std::uint32_t pages,
                             std::uint64_t last) {
  const std::span<std::uint8_t> bytes(tx.byte);
  const std::size_t header = descriptor::header_size(ffa::version_1_1);
  const std::size_t composite = header + descriptor::receiver_size;
  const std::size_t ranges = composite + descriptor::composite_size;
  for (std::uint8_t& byte : bytes)
    byte = 0;
  ffa::put(bytes, descriptor::sender, static_cast<std::uint16_t>(sender));
  ffa::put(bytes, descriptor::receiver_count, std::uint32_t{1});
  ffa::put(bytes, header, partition);
  ffa::put(bytes, header + descriptor::ranges_of_receiver, static_cast<std::uint32_t>(composite));
  ffa::put(bytes, composite + descriptor::composite_pages, pages + 1);
  ffa::put(bytes, composite + descriptor::composite_count, std::uint32_t{2});
  ffa::put(bytes, ranges, first);
  ffa::put(bytes, ranges + descriptor::range_pages, pages);
  ffa::put(bytes, ranges + descriptor::range_size, last);
  ffa::put(bytes, ranges + descriptor::range_size + descriptor::range_pages, std::uint32_t{1});
  return ranges + (2 * descriptor::range_size);
}

CallResult share(std::uint64_t sender, std::uint64_t first, std::uint64_t last) {
  const std::size_t size = write_descriptor(sender, first, 1, last);
  return hvc(ffa::mem_share, size, size);
}

void give_and_take(std::uint64_t id) {
  const CallResult given = share(id, address(memory.data()), address(&memory[1]));
  say("share", given);
  say("share again", share(id, address(&memory[2]), address(&memory[1])));
  say("share in another's name", share(id + 1, address(&memory[2]), address(&memory[3])));
  say("share what is not there", share(id, address(&memory[2]), 0x1'0000));
  const bool unshared = hvc(pkvm::guest_call::mem_unshare, address(memory.data()))[0] == 0;
  print(unshared ? "unshare with the host: done\n" : "unshare with the host: refused\n");
  say("reclaim of another's", hvc(ffa::mem_reclaim, given[2] + 1, given[3]));
  say("reclaim", hvc(ffa::mem_reclaim, given[2], given[3]));
  say("reclaim again", hvc(ffa::mem_reclaim, given[2], given[3]));
  say("share what came back", share(id, address(memory.data()), address(&memory[1])));
  say("share the rest", share(id, address(&memory[2]), address(&memory[3])));
}

}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  // A page is a guest's once it has touched it.
  for (Page& page : memory)
    page.byte[0] = 1;
  rx.byte[0] = tx.byte[0] = 1;
  print("version ");
  print_hex(hvc(ffa::version, ffa::version_1_1)[0] & 0xffff'ffff);
  print("\n");
  const CallResult own = hvc(ffa::id_get);
  say("id", own);
  if (own[0] != ffa::success) return;
  print("id is ");
  print_hex(own[2]);
  print("\n");
  say("feature MEM_SHARE", hvc(ffa::features, ffa::mem_share));
  say("feature MEM_DONATE", hvc(ffa::features, ffa::mem_donate));
  say("share without buffers", share(own[2], address(memory.data()), address(&memory[1])));
  say("buffers of two pages", hvc(ffa::rxtx_map, address(&tx), address(&rx), 2));
  say("buffers", hvc(ffa::rxtx_map, address(&tx), address(&rx), 1));
  say("buffers again", hvc(ffa::rxtx_map, address(&tx), address(&rx), 1));
  const CallResult partitions = hvc(ffa::partition_info_get);
  say("partitions", partitions);
  print(rx.byte[0] == 0x01 && rx.byte[1] == 0x80 ? "the first is 0x8001\n" : "of another id\n");
  say("release", hvc(ffa::rx_release));
  give_and_take(own[2]);
  say("a message in the host's name", hvc(ffa::direct_request, partition));
  say("a message", hvc(ffa::direct_request, own[2] << 16 | partition, 0, 5));
}
