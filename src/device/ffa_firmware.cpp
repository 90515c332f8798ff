// SPDX-License-Identifier: GPL-2.0-only
#include "device/ffa_firmware.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

namespace pkvmemu::device {
namespace {

namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;
using Words = FfaFirmware::Words;

constexpr unsigned word_bits = 32;
constexpr std::uint64_t word_mask = 0xffff'ffff;

// What it keeps at most: a guest that shares again and again must not fill the user's memory.
constexpr std::size_t most_regions = 1024;
constexpr std::uint32_t longest_descriptor = 16 * ffa::page_size;

Words failed(ffa::Error error) {
  return {ffa::error, 0, static_cast<std::uint64_t>(std::int64_t{std::to_underlying(error)})};
}

std::uint32_t word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}

template <typename T>
T field(std::span<const std::byte> bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof value <= bytes.size())
    std::memcpy(&value, bytes.subspan(offset).data(), sizeof value);
  return value;
}
template <typename T>
void put(std::span<std::byte> bytes, std::size_t offset, T value) {
  if (offset + sizeof value <= bytes.size())
    std::memcpy(bytes.subspan(offset).data(), &value, sizeof value);
}

/// As PARTITION_INFO_GET tells it: id, contexts, properties, and from 1.1 on the UUID.
std::vector<std::byte> told(const FfaPartition& partition, std::size_t size) {
  constexpr std::size_t contexts = 2;
  constexpr std::size_t properties = 4;
  constexpr std::size_t uuid = 8;
  std::vector<std::byte> bytes(size);
  put(bytes, 0, partition.id);
  put(bytes, contexts, std::uint16_t{1});
  put(bytes, properties, partition.properties);
  put(bytes, uuid, partition.uuid);
  return bytes;
}

}  // namespace

struct FfaFirmware::Row {
  std::uint32_t id;
  std::string_view name;
  Words (FfaFirmware::*handler)(const Words&);
};

const FfaFirmware::Row* FfaFirmware::row_of(std::uint32_t id) {
  constexpr static auto rows = std::to_array<Row>({
      {ffa::version, "FFA_VERSION", &FfaFirmware::agree_on_version},
      {ffa::features, "FFA_FEATURES", &FfaFirmware::features},
      {ffa::id_get, "FFA_ID_GET", &FfaFirmware::own_id},
      {ffa::rxtx_map, "FFA_RXTX_MAP", &FfaFirmware::map_buffers},
      {ffa::rxtx_map32, "FFA_RXTX_MAP", &FfaFirmware::map_buffers},
      {ffa::rxtx_unmap, "FFA_RXTX_UNMAP", &FfaFirmware::unmap_buffers},
      {ffa::rx_release, "FFA_RX_RELEASE", &FfaFirmware::release_rx},
      {ffa::partition_info_get, "FFA_PARTITION_INFO_GET", &FfaFirmware::partition_info},
      {ffa::mem_share, "FFA_MEM_SHARE", &FfaFirmware::take_memory},
      {ffa::mem_share32, "FFA_MEM_SHARE", &FfaFirmware::take_memory},
      {ffa::mem_lend, "FFA_MEM_LEND", &FfaFirmware::take_memory},
      {ffa::mem_lend32, "FFA_MEM_LEND", &FfaFirmware::take_memory},
      {ffa::mem_frag_tx, "FFA_MEM_FRAG_TX", &FfaFirmware::take_fragment},
      {ffa::mem_retrieve_req, "FFA_MEM_RETRIEVE_REQ", &FfaFirmware::tell_memory},
      {ffa::mem_retrieve_req32, "FFA_MEM_RETRIEVE_REQ", &FfaFirmware::tell_memory},
      {ffa::mem_frag_rx, "FFA_MEM_FRAG_RX", &FfaFirmware::tell_fragment},
      {ffa::mem_reclaim, "FFA_MEM_RECLAIM", &FfaFirmware::give_back},
  });
  const auto* const found = std::ranges::find(rows, id, &Row::id);
  return found == rows.end() ? nullptr : found;
}

std::string_view FfaFirmware::name_of(std::uint32_t id) {
  const Row* const row = row_of(id);
  return row == nullptr ? "" : row->name;
}

std::optional<Words> FfaFirmware::call(const Words& x) {
  const std::uint32_t id = word(x[0]);
  if (!ffa::in_range(id)) return std::nullopt;
  const Row* const row = row_of(id);
  return row == nullptr ? failed(Error::not_supported) : (this->*row->handler)(x);
}

/// The answer is our own version; a caller of an older minor one goes on in that.
Words FfaFirmware::agree_on_version(const Words& x) {
  const std::uint32_t asked = word(x[1]);
  if (ffa::major(asked) != ffa::major(script_.version)) return {failed(Error::not_supported)[2]};
  state_.version = std::min(asked, script_.version);
  return {script_.version};
}

// NOLINTBEGIN(readability-convert-member-functions-to-static): the rows hold members
Words FfaFirmware::features(const Words& x) {
  return row_of(word(x[1])) == nullptr ? failed(Error::not_supported) : Words{ffa::success};
}

Words FfaFirmware::own_id(const Words& /*x*/) {
  return {ffa::success, 0, ffa::host_id};
}
// NOLINTEND(readability-convert-member-functions-to-static)

Words FfaFirmware::map_buffers(const Words& x) {
  const Pa tx{x[1]};
  const Pa rx{x[2]};
  const bool aligned = tx.value % ffa::page_size == 0 && rx.value % ffa::page_size == 0;
  const bool is_ram =
      memory_.read(tx, ffa::page_size).has_value() && memory_.read(rx, ffa::page_size).has_value();
  if (!aligned || !is_ram || tx == rx || word(x[3]) != 1) return failed(Error::invalid_parameters);
  if (state_.rx != Pa{0}) return failed(Error::denied);
  state_.tx = tx;
  state_.rx = rx;
  return {ffa::success};
}

Words FfaFirmware::unmap_buffers(const Words& x) {
  if (word(x[1]) != ffa::host_id || state_.rx == Pa{0}) return failed(Error::invalid_parameters);
  state_.tx = state_.rx = Pa{0};
  state_.is_receiving = false;
  return {ffa::success};
}

Words FfaFirmware::release_rx(const Words& /*x*/) {
  if (!std::exchange(state_.is_receiving, false)) return failed(Error::denied);
  return {ffa::success};
}

Words FfaFirmware::partition_info(const Words& x) {
  const bool says_size = state_.version > ffa::version_1_0;
  const std::size_t size = says_size ? ffa::partition_size : ffa::partition_size_1_0;
  const std::array<std::uint32_t, 4> wanted{word(x[1]), word(x[2]), word(x[3]), word(x[4])};
  std::vector<std::byte> list;
  for (const FfaPartition& partition : script_.partitions)
    if (wanted == decltype(wanted){} || wanted == partition.uuid)
      std::ranges::copy(told(partition, size), std::back_inserter(list));
  if (list.empty()) return failed(Error::invalid_parameters);
  Words answer{ffa::success, 0, list.size() / size};
  if (says_size && (x[5] & ffa::only_count) != 0) return answer;
  if (state_.is_receiving) return failed(Error::busy);
  if (state_.rx == Pa{0}) return failed(Error::denied);
  if (list.size() > ffa::page_size) return failed(Error::no_memory);
  if (!memory_.write(state_.rx, list)) return failed(Error::aborted);
  state_.is_receiving = true;
  if (says_size) answer[3] = size;
  return answer;
}

std::size_t FfaFirmware::header_size() const {
  return layout::header_size(state_.version);
}

bool FfaFirmware::has_receiver(const Region& region) const {
  const auto receiver = field<std::uint16_t>(region.descriptor, header_size());
  return field<std::uint32_t>(region.descriptor, layout::receiver_count) == 1 &&
         std::ranges::find(script_.partitions, receiver, &FfaPartition::id) !=
             script_.partitions.end();
}

Words FfaFirmware::answer_for(std::uint64_t handle) {
  const Region& region = state_.regions.at(handle);
  const std::uint64_t low = handle & word_mask;
  const std::uint64_t high = handle >> word_bits;
  if (region.is_complete()) return {ffa::success, 0, low, high};
  return {ffa::mem_frag_rx, low, high, region.descriptor.size()};
}

Words FfaFirmware::take_memory(const Words& x) {
  const std::uint32_t length = word(x[1]);
  const std::uint32_t fragment = word(x[2]);
  const bool sane = fragment <= length && fragment <= ffa::page_size && state_.rx != Pa{0};
  if (!sane) return failed(Error::invalid_parameters);
  if (length > longest_descriptor || state_.regions.size() == most_regions)
    return failed(Error::no_memory);
  Region region{.descriptor = *memory_.read(state_.tx, fragment), .length = length};
  if (!has_receiver(region)) return failed(Error::invalid_parameters);
  const std::uint64_t handle = script_.first_handle + state_.handles++;
  put(std::span(region.descriptor), layout::handle, handle);
  state_.regions.emplace(handle, std::move(region));
  return answer_for(handle);
}

Words FfaFirmware::take_fragment(const Words& x) {
  const std::uint64_t handle = ffa::handle_of(x[1], x[2]);
  const std::uint32_t size = word(x[3]);
  const auto found = state_.regions.find(handle);
  const bool expected = found != state_.regions.end() && !found->second.is_complete();
  if (!expected || state_.rx == Pa{0}) return failed(Error::invalid_parameters);
  Region& region = found->second;
  const bool fits =
      size != 0 && size <= ffa::page_size && size <= region.length - region.descriptor.size();
  if (!fits) {
    state_.regions.erase(found);
    return failed(Error::invalid_parameters);
  }
  std::ranges::copy(*memory_.read(state_.tx, size), std::back_inserter(region.descriptor));
  return answer_for(handle);
}

std::optional<std::uint64_t> FfaFirmware::send(const Region& region, std::uint64_t from) {
  const auto rest = std::span(region.descriptor).subspan(from);
  const auto part = rest.first(std::min<std::uint64_t>(rest.size(), script_.largest_fragment));
  if (!memory_.write(state_.rx, part)) return std::nullopt;
  state_.is_receiving = true;
  return part.size();
}

/// A hypervisor asks with a header that holds nothing but the handle.
Words FfaFirmware::tell_memory(const Words& x) {
  const std::uint32_t length = word(x[1]);
  const bool sane = length == word(x[2]) && length >= header_size() && length <= ffa::page_size;
  if (!sane || state_.rx == Pa{0}) return failed(Error::invalid_parameters);
  const auto handle = field<std::uint64_t>(*memory_.read(state_.tx, length), layout::handle);
  const auto found = state_.regions.find(handle);
  const bool known = found != state_.regions.end() && found->second.is_complete();
  if (!known) return failed(Error::invalid_parameters);
  if (state_.is_receiving) return failed(Error::busy);
  const auto sent = send(found->second, 0);
  if (!sent) return failed(Error::aborted);
  return {ffa::mem_retrieve_resp, found->second.length, *sent};
}

Words FfaFirmware::tell_fragment(const Words& x) {
  const auto found = state_.regions.find(ffa::handle_of(x[1], x[2]));
  const std::uint32_t from = word(x[3]);
  const bool known = found != state_.regions.end() && found->second.is_complete() &&
                     from < found->second.length && state_.rx != Pa{0};
  if (!known) return failed(Error::invalid_parameters);
  if (state_.is_receiving) return failed(Error::busy);
  const auto sent = send(found->second, from);
  if (!sent) return failed(Error::aborted);
  return {ffa::mem_frag_tx, word(x[1]), word(x[2]), *sent};
}

Words FfaFirmware::give_back(const Words& x) {
  const bool was_there = state_.regions.erase(ffa::handle_of(x[1], x[2])) != 0;
  return was_there ? Words{ffa::success} : failed(Error::invalid_parameters);
}

}  // namespace pkvmemu::device
